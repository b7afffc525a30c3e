"""What of it is new, the accounting, and the commit."""
