"""What is wrong with a lake."""
