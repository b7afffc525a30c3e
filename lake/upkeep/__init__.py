"""Compacting, dropping and cleaning."""
