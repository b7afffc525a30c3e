"""Labels of the lake as an ASE calculator."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.singlepoint import SinglePointCalculator
from numpy.typing import NDArray

# What ASE's constructor sets; atoms would hide the property, and a bound method is not ours.
_FRESH = {
    name: value
    for name, value in vars(Calculator()).items()  # type: ignore[no-untyped-call]
    if name not in ("atoms", "results", "parameters") and not callable(value)
}


class StoredLabels(SinglePointCalculator):
    """A SinglePointCalculator that copies its structure when it is first asked for something.

    Copying at once, as ASE does, takes half of the time of reading a structure.

    Parameters
    ----------
    geometry
        Arguments of ase.Atoms. Nobody else may change these arrays.
    arrays
        Arrays of ase.Atoms that ASE compares as well, shape (n_atoms,) or (n_atoms, 3).
    results
        Energy (eV), forces (eV/Å, shape (n_atoms, 3)) and stress (eV/Å³, Voigt order, shape
        (6,)): those that are known.
    """

    def __init__(
        self,
        geometry: dict[str, Any],
        arrays: dict[str, NDArray[Any]],
        results: dict[str, Any],
    ) -> None:
        # ASE's own constructor would take a fourth of the time of reading a structure.
        self.__dict__.update(_FRESH, parameters={})
        self._geometry = geometry
        self._arrays = arrays and {name: array.copy() for name, array in arrays.items()}
        self.results = results

    @cached_property
    def atoms(self) -> Atoms:  # type: ignore[override]
        """The structure the labels belong to: with any other they are not to be had."""
        atoms = Atoms(**self._geometry)
        atoms.arrays.update(self._arrays)
        return atoms
