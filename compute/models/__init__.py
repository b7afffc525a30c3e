"""Models registered in a lake, and the files they are loaded from."""
