"""What the user named, opened and checksummed."""
