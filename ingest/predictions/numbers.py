"""Energies, forces and stresses of rows, and how far those of two rows are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.predictions.ragged import greatest, offsets_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Energy = TypeVar("Energy", float, Floats)

# Four decimals, as scripts print them; and total energies that went through single precision.
FORCES_TOLERANCE = 1e-4  # eV/Å
STRESS_TOLERANCE = 1e-4  # eV/Å³
ENERGY_TOLERANCE = 1e-4  # eV
ENERGY_RELATIVE_TOLERANCE = 2e-7
# Forces that are all zero by symmetry tell nothing.
TELLING_FORCE = 1e-3  # eV/Å
# The tolerances are met by what is just that far.
ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Numbers:
    """What k rows of N atoms in all hold; NaN where there is nothing.

    Attributes
    ----------
    n_atoms
        Shape (k,).
    energy
        Shape (k,), eV.
    forces
        Shape (N, 3), eV/Å.
    stress
        Voigt order. Shape (k, 6), eV/Å³.
    """

    n_atoms: Integers
    energy: Floats
    forces: Floats
    stress: Floats

    @classmethod
    def of(cls, rows: pa.Table) -> Numbers:
        """Those of rows of `predictions` or `labels`."""
        n_atoms = rows["n_atoms"].to_numpy().astype(np.int64)
        column = whole(rows["forces"])
        has_forces = np.asarray(column.is_valid())
        forces = np.full((int(n_atoms.sum()), 3), np.nan)
        # Lists that are NULL have no entries.
        entries = [floats(each.flatten()) for each in column.flatten()]
        forces[np.repeat(has_forces, n_atoms)] = np.stack(entries, axis=1)
        stress = np.stack([floats(part) for part in whole(rows["stress"]).flatten()], axis=1)
        return cls(n_atoms, floats(rows["energy"]), forces, stress)

    @property
    def greatest_force(self) -> Floats:
        """The greatest component of a force in each row, NaN without forces. Shape (k,), eV/Å."""
        return greatest(np.abs(self.forces).max(axis=1), self.n_atoms)


@dataclass(frozen=True, eq=False)
class Apart:
    """How far rows are apart, as a part of what the digits of a text file may leave out.

    Shape (k,) each; NaN where neither row has the quantity, infinite where one has.
    """

    energy: Floats
    forces: Floats
    stress: Floats

    @property
    def is_rounding(self) -> NDArray[np.bool_]:
        """Whether rows hold the same quantities, equal but for those digits. Shape (k,)."""
        every = np.stack((self.energy, self.forces, self.stress))
        return np.asarray(is_near(np.where(np.isnan(every), 0.0, every)).all(axis=0))


def is_near(apart: Floats) -> NDArray[np.bool_]:
    """Where a quantity of two rows is the same; not where neither has it."""
    return np.asarray(apart <= 1 + ROUNDING)


def energy_tolerance(energy: Energy) -> Energy:
    """How far an energy may be from one of this size, eV."""
    return ENERGY_TOLERANCE + ENERGY_RELATIVE_TOLERANCE * abs(energy)


def compare(one: Numbers, other: Numbers) -> Apart:
    """Compare rows in pairs; those of a pair have the same number of atoms."""
    energy = np.abs(one.energy - other.energy)
    first = offsets_of(one.n_atoms)[:-1]
    forces = greatest(np.abs(one.forces - other.forces).max(axis=1), one.n_atoms)
    return Apart(
        _known(energy / energy_tolerance(other.energy), one.energy, other.energy),
        _known(forces / FORCES_TOLERANCE, one.forces[first, 0], other.forces[first, 0]),
        _known(
            np.abs(one.stress - other.stress).max(axis=1) / STRESS_TOLERANCE,
            one.stress[:, 0],
            other.stress[:, 0],
        ),
    )


def _known(apart: Floats, one: Floats, other: Floats) -> Floats:
    return np.where(np.isnan(one) != np.isnan(other), np.inf, apart)


def whole(column: pa.ChunkedArray) -> pa.StructArray:
    """A column in one piece."""
    joined = column.combine_chunks()
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def floats(values: pa.Array | pa.ChunkedArray) -> Floats:
    """NULLs become NaN."""
    if isinstance(values, pa.ChunkedArray):
        return np.asarray(values.to_numpy(), np.float64)
    return np.asarray(values.to_numpy(zero_copy_only=False), np.float64)
