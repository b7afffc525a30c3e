"""Crystals and gases as schemes of regions take them, and whether their defects were found."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.geometry import find_mic

from benchmarks.known_defects import Known
from compute.regions.lattice_search import find_lattice
from compute.regions.radii import Radii
from compute.regions.sites import find_sites
from compute.regions.structure import Regions, Structure

DEFECTS = ("none", "vacancy", "two-vacancies", "split", "octahedral")
CLOSE = 0.6  # Å; half the way to the nearest other site or octahedral position is 0.7 or more


def structure_of(atoms: Atoms) -> Structure:
    """Atoms as a scheme takes them."""
    return Structure(
        atoms.numbers.astype(np.int64),
        atoms.positions,
        atoms.cell.array,
        atoms.pbc,
        atoms.info.get("config_type"),
    )


def sites(atoms: Atoms, lattice=find_lattice, radii: Radii | None = None) -> Regions:
    return find_sites(structure_of(atoms), radii or Radii(), lattice)


def is_right(known: Known, found: Regions) -> bool:
    """Whether the defects found are those that were made, each at its place."""
    if found.defect_kind != known.kind or len(found.centres) != len(known.centres):
        return False
    if not len(known.centres):
        return True
    atoms = known.atoms
    apart = np.array(
        [find_mic(found.centres - centre, atoms.cell, atoms.pbc)[1] for centre in known.centres]
    )
    return bool((apart.min(axis=1) < CLOSE).all() and (apart.min(axis=0) < CLOSE).all())


def ordered_alloy() -> Atoms:
    atoms = bulk("NiAl", "cesiumchloride", a=2.89) * 3
    atoms.rattle(0.05, seed=0)
    return atoms


def gas(n_atoms: int, edge: float, seed: int) -> Atoms:
    random = np.random.default_rng(seed)
    return Atoms(
        f"Ar{n_atoms}", positions=random.random((n_atoms, 3)) * edge, cell=[edge] * 3, pbc=True
    )
