"""Predictions made elsewhere: read from files, matched to structures by content, and committed."""
