"""Analyses of the lake: one SQL statement a file."""
