"""Crystals whose defects are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.geometry import find_mic

LATTICES = {"bcc": ("Fe", 2.87), "fcc": ("Cu", 3.61), "hcp": ("Ti", 2.95)}
CONFIG_TYPES = {"none": "bulk", "vacancy": "vac", "interstitial": "sia"}
DUMBBELL = {"bcc": (1, 1, 0), "fcc": (1, 0, 0), "hcp": (0, 0, 1)}


@dataclass(frozen=True)
class Known:
    """A structure, and where its defects are: shape (n_defects, 3), Å."""

    atoms: Atoms
    kind: str
    centres: np.ndarray


def cell_of(lattice: str, n: int) -> Atoms:
    """Conventional cells of a crystal, n × n × n; of hcp primitive ones where n is even."""
    symbol, constant = LATTICES[lattice]
    if lattice == "hcp":
        return bulk(symbol, "hcp", a=constant, orthorhombic=n % 2 == 1) * n
    return bulk(symbol, lattice, a=constant, cubic=True) * n


def with_defect(lattice: str, n: int, defect: str, rattle: float, seed: int) -> Known:
    """A crystal with one kind of defect, its atoms shuffled, displaced and moved as a whole."""
    random = np.random.default_rng(seed)
    atoms = cell_of(lattice, n)
    site = int(random.integers(len(atoms)))
    centres, kind = _insert(lattice, atoms, site, defect, random)
    shift = random.uniform(0, 5, 3)
    atoms.positions += random.normal(scale=rattle, size=(len(atoms), 3)) + shift
    order = random.permutation(len(atoms))
    atoms = atoms[order]
    if seed % 2:
        atoms.wrap()
    atoms.info["config_type"] = CONFIG_TYPES[kind]
    return Known(atoms, kind, np.reshape(centres, (-1, 3)) + shift)


def _insert(
    lattice: str, atoms: Atoms, site: int, defect: str, random: np.random.Generator
) -> tuple[list[np.ndarray], str]:
    place = atoms.positions[site].copy()
    if defect == "none":
        return [], "none"
    if defect == "vacancy":
        del atoms[site]
        return [place], "vacancy"
    if defect == "two-vacancies":
        distances = atoms.get_distances(site, range(len(atoms)), mic=True)
        other = int(np.argsort(distances)[random.integers(1, len(atoms))])
        centres = [place, atoms.positions[other].copy()]
        del atoms[[site, other]]
        return centres, "vacancy"
    symbol = atoms.symbols[site]
    if defect == "split":
        half = 0.33 * LATTICES[lattice][1] * np.array(DUMBBELL[lattice], float)
        half *= 0.9 / max(np.linalg.norm(half), 0.9)
        atoms.positions[site] = place - half
        atoms.append(symbol)
        atoms.positions[-1] = place + half
        return [place], "interstitial"
    assert defect == "octahedral"
    centre = octahedral_position(lattice, atoms, site)
    atoms.append(symbol)
    atoms.positions[-1] = centre
    return [centre], "interstitial"


def octahedral_position(lattice: str, atoms: Atoms, site: int) -> np.ndarray:
    """The middle of an octahedron of atoms that `site` is a corner of."""
    place, constant = atoms.positions[site], LATTICES[lattice][1]
    if lattice == "bcc":
        return place + np.array([constant / 2, 0, 0])
    if lattice == "fcc":
        return place + np.array([constant / 2, 0, 0])
    # In hcp: over the middle of three neighbours in the plane that has no atom above or below.
    height = LATTICES["hcp"][1] * np.sqrt(8 / 3) / 4
    vectors = []
    for angle in np.radians([30, 90, 150, 210, 270, 330]):
        flat = constant / np.sqrt(3) * np.array([np.cos(angle), np.sin(angle), 0])
        vectors.append(flat + np.array([0, 0, height]))
    found = []
    for vector in vectors:
        distances = find_mic(atoms.positions - (place + vector), atoms.cell, atoms.pbc)[1]
        found.append(distances.min())
    return place + vectors[int(np.argmax(found))]
