"""Frames as columns, and what every reader of a format offers."""
