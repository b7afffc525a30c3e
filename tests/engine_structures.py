"""Structures on which engines go wrong, of copper and nickel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ase import Atoms
from ase.build import bulk, fcc111
from numpy.typing import NDArray

STEP = 1e-4  # Å, or as strain
DISPLACED = ("dimer", "molecule in a cell", "triclinic", "slab", "wire")
STRAINED = ("triclinic", "left-handed", "small cell", "slab")

_TRICLINIC = [(3.9, 0.2, 0.1), (1.1, 4.3, -0.3), (-0.7, 0.9, 4.1)]
_TETRAMER = [(0, 0, 0), (2.4, 0, 0), (1.2, 2.1, 0), (1.2, 0.7, 2.0)]


def tricky_structures() -> dict[str, Atoms]:
    """Molecules and crystals of unequal sizes, with every kind of cell."""
    slab = fcc111("Cu", (2, 1, 2), a=3.6, vacuum=6.0, periodic=False)
    slab.symbols[0] = "Ni"
    structures = {
        "one atom": Atoms("Cu"),
        "no neighbours": Atoms("CuNi", positions=[(0, 0, 0), (0, 0, 50)]),
        "dimer": Atoms("CuNi", positions=[(0, 0, 0), (1.1, 1.7, -0.9)]),
        "molecule in a cell": Atoms("CuNiNiCu", positions=_TETRAMER, cell=[3, 4, 5], pbc=False),
        "small cell": bulk("Cu", a=3.6),
        "triclinic": _with_cell(_TRICLINIC),
        "left-handed": _with_cell([_TRICLINIC[1], _TRICLINIC[0], _TRICLINIC[2]]),
        "slab": slab,
        "slab without third vector": _without_third_vector(slab),
        "wire": Atoms("CuNi", [(0, 0, 0), (2, 1, 0.8)], cell=[0, 0, 2.7], pbc=[0, 0, 1]),
        "large": bulk("Ni", a=3.56, cubic=True) * (2, 2, 2),
    }
    structures["large"].symbols[::3] = "Cu"
    rng = np.random.default_rng(3)
    for atoms in structures.values():
        atoms.positions += rng.normal(scale=0.05, size=atoms.positions.shape)
    structures["outside"] = _moved_by_lattice_vectors(structures["triclinic"])
    return structures


def _with_cell(cell: list[tuple[float, float, float]]) -> Atoms:
    scaled = [(0.1, 0.1, 0.1), (0.6, 0.5, 0.4), (0.2, 0.6, 0.8)]
    return Atoms("CuNiCu", scaled_positions=scaled, cell=cell, pbc=True)


def _without_third_vector(slab: Atoms) -> Atoms:
    flat = slab.copy()
    flat.set_cell([*slab.cell.array[:2], (0, 0, 0)])
    return flat


def _moved_by_lattice_vectors(atoms: Atoms) -> Atoms:
    moved = atoms.copy()
    moved.positions += np.array([(3, -2, 0), (0, 1, 0), (-1, 0, 4)]) @ atoms.cell.array
    return moved


def rotated(atoms: Atoms, rotation: NDArray[np.float64]) -> Atoms:
    """The structure and its cell, turned. `rotation` has shape (3, 3)."""
    turned = atoms.copy()
    turned.set_cell(atoms.cell.array @ rotation.T)
    turned.positions = atoms.positions @ rotation.T
    return turned


def displaced(atoms: Atoms) -> list[Atoms]:
    """Every atom moved along x, y and z, forth and back by `STEP`. 6 n_atoms structures."""
    structures = []
    for atom in range(len(atoms)):
        for axis in range(3):
            for sign in (1, -1):
                moved = atoms.copy()
                moved.positions[atom, axis] += sign * STEP
                structures.append(moved)
    return structures


def strained(atoms: Atoms) -> list[Atoms]:
    """Cell and atoms under every strain of Voigt's order, forth and back. 12 structures."""
    structures = []
    for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
        for sign in (1, -1):
            strain = np.eye(3)
            strain[i, j] += sign * STEP / 2
            strain[j, i] += sign * STEP / 2
            structures.append(rotated(atoms, strain))
    return structures


def random_structures(n: int) -> Iterator[tuple[Atoms, float]]:
    """Cells of any shape, periodic along any directions, and a cutoff in Å for each."""
    rng = np.random.default_rng(11)
    while n > 0:
        size, stretch = rng.choice([1.5, 3.0, 6.0]), rng.choice([0.0, 8.0])
        pbc = rng.random(3) < 0.5
        cell = rng.normal(size=(3, 3)) * size + np.eye(3) * stretch
        volume = abs(np.linalg.det(cell))
        if volume < 3.0 or volume < 0.1 * np.linalg.norm(cell, axis=1).prod():
            continue  # of slivers ASE makes millions of images
        cell[~pbc & (rng.random(3) < 0.5)] = 0.0
        positions = rng.normal(size=(rng.integers(1, 25), 3)) * rng.choice([1.0, 4.0, 30.0])
        yield Atoms(numbers=[29] * len(positions), positions=positions, cell=cell, pbc=pbc), 4.0
        n -= 1
