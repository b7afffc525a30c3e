"""One version of a lake as files for other programs."""
