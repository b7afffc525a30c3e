"""Data files, the logs that name them, and how a commit happens."""
