"""Statistics as pure functions on arrays, for any question."""
