"""Which packages each engine needs, and how they are installed."""

from __future__ import annotations

from lake.errors import NotFoundError

# What is imported, and the distribution that brings it.
DISTRIBUTIONS = {
    "torch": "torch",
    "mace": "mace-torch",
    "nequip": "nequip",
    "allegro": "nequip-allegro",
    "ase": "ase",
    "vesin": "vesin",
}
ENGINES: dict[str, tuple[str, ...]] = {
    "mace": ("torch", "mace", "vesin"),
    "nequip": ("torch", "nequip", "vesin"),
    "allegro": ("torch", "nequip", "allegro", "vesin"),
    "ase": ("ase",),
}
EXTRAS = {"mace": "mace", "nequip": "nequip", "allegro": "nequip"}  # in pyproject.toml
# They need different versions of e3nn: installing one beside the other breaks the other.
EXCLUDED_BY = {"mace": "nequip", "nequip": "mace", "allegro": "mace"}


def needed_packages(engine: str) -> tuple[str, ...]:
    """Names of the packages an engine imports.

    Raises
    ------
    NotFoundError
        There is no such engine.
    """
    if engine not in ENGINES:
        raise NotFoundError.among("engine", engine, ENGINES)
    return ENGINES[engine]
