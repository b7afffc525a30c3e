"""Rows of structures and labels by id, by condition, in bounded memory."""
