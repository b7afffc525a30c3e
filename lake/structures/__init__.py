"""Structures between rows, ase.Atoms and hashes."""
