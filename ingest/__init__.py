"""Readers of structure files, and the way from files into the lake."""
