"""Atoms as schemes of regions take them."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from compute.regions.structure import Structure


def structure_of(atoms: Atoms) -> Structure:
    """Atoms as a scheme takes them."""
    return Structure(
        atoms.numbers.astype(np.int64),
        atoms.positions,
        atoms.cell.array,
        atoms.pbc,
        atoms.info.get("config_type"),
    )
