"""SQL in files: reading it, and running it over a lake."""
