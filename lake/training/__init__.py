"""Structures for training, streamed from the lake."""
