"""Frames as rows of the tables."""
