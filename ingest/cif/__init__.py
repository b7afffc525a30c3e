"""Crystallographic information files, through gemmi."""
