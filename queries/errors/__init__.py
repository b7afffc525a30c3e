"""Errors of predictions over whole datasets."""
