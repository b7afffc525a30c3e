"""The history of a lake, and names for its versions."""
