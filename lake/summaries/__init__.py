"""What a lake holds, at a glance."""
