"""Cutting inputs into tasks, and who does them."""
