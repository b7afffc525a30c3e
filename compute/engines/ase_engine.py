"""Any calculator of ASE, one structure at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from compute.engines.ase_calculators import make_calculator
from compute.engines.engine import (
    EvaluationError,
    Floats,
    Graph,
    ModelFacts,
    OutOfMemoryError,
    Results,
    Wanted,
)
from compute.engines.foreign_errors import described
from compute.engines.wanted_layers import check_wanted
from lake.errors import InvalidInputError

if TYPE_CHECKING:
    from ase import Atoms

_NO_STRESS = np.full(6, np.nan)


class AseEngine:
    """A calculator of ASE.

    Parameters
    ----------
    path
        ``package.module:Class`` or ``file.py:function``.
    device, dtype
        ``auto`` or ``cpu``, and None: a calculator takes both among its options, if at all.
    options
        Keyword arguments of the class or function.

    Raises
    ------
    InvalidInputError, NotFoundError, JobFailedError
        See `make_calculator`; or a device or dtype was given.
    """

    def __init__(
        self, path: str, device: str, dtype: str | None, options: Mapping[str, Any]
    ) -> None:
        for name, value, free in (("device", device, ("auto", "cpu")), ("dtype", dtype, (None,))):
            if value not in free:
                raise InvalidInputError(
                    f"{path}: {name} {value} was asked for, but an ASE calculator takes its {name} "
                    "as an option of its own, if at all. Leave it out, and register the model with "
                    "that option."
                )
        self._path = path
        self._calculator = make_calculator(path, options)
        self._properties = tuple(getattr(self._calculator, "implemented_properties", ()))
        made = type(self._calculator)
        self.device_name = str(options.get("device", "cpu"))
        self.facts = ModelFacts(
            config={
                "calculator": f"{made.__module__}.{made.__qualname__}",
                "properties": sorted(set(self._properties)),
                "options": dict(options),
            }
        )

    def latent_definition(self, layer: int) -> Mapping[str, Any]:
        """Nothing: there are no latents.

        Raises
        ------
        InvalidInputError
            Always.
        """
        raise InvalidInputError(
            f"{self._path}: latents of layer {layer} are wanted, but ASE calculators have none. "
            "Ask for none, or register the model with the engine it was trained by."
        )

    def collate(self, graphs: Sequence[Graph]) -> list[Atoms]:
        """Structures as ASE has them."""
        from ase import Atoms

        return [
            Atoms(numbers=graph.numbers, positions=graph.positions, cell=graph.cell, pbc=graph.pbc)
            for graph in graphs
        ]

    def evaluate(self, batch: list[Atoms], wanted: Wanted) -> Results:
        """Compute one structure after the other.

        Raises
        ------
        InvalidInputError
            Latents are wanted.
        EvaluationError
            The calculator raised, or wanted to end the process; of one structure, this is the
            reason why it has no result.
        OutOfMemoryError
            The calculator found no room.
        """
        check_wanted(wanted, self.facts)
        with_forces = wanted.forces and "forces" in self._properties
        with_stress = wanted.forces and "stress" in self._properties
        energies, forces, stresses = [], [], []
        for atoms in batch:
            try:
                atoms.calc = self._calculator
                energies.append(float(atoms.get_potential_energy()))
                if with_forces:
                    forces.append(_array(atoms.get_forces(), (len(atoms), 3)))
                if with_stress:
                    stresses.append(_stress(atoms))
            except MemoryError as error:
                raise OutOfMemoryError(described(error)) from None
            except (Exception, SystemExit) as error:  # noqa: BLE001 - they have errors of their own
                raise self._failure(error) from None
            finally:
                atoms.calc = None
        return Results(
            energy=np.array(energies, np.float64),
            forces=np.concatenate(forces) if with_forces else None,
            stress=np.array(stresses) if with_stress else None,
            latents={},
            has_stress=np.array([each is not _NO_STRESS for each in stresses], np.bool_),
        )

    def memory_bytes(self) -> tuple[int, int] | None:
        """Unknown."""
        return None

    def _failure(self, error: BaseException) -> Exception:
        if hasattr(self._calculator, "reset"):
            self._calculator.reset()  # else what it had half done is taken for results
        if "out of memory" in str(error) or "can't allocate memory" in str(error):
            return OutOfMemoryError(described(error))
        return EvaluationError(f"the calculator failed: {described(error)}")


def _stress(atoms: Atoms) -> Floats:
    """Voigt order, eV/Å³; NaN where the structure has none. Shape (6,)."""
    from ase.calculators.calculator import PropertyNotImplementedError

    if not atoms.pbc.any() or atoms.cell.rank != 3:
        return _NO_STRESS
    try:
        return _array(atoms.get_stress(voigt=True), (6,))
    except PropertyNotImplementedError:
        return _NO_STRESS


def _array(values: Any, shape: tuple[int, ...]) -> Floats:
    array = np.array(values, np.float64)
    if array.shape != shape:
        raise ValueError(f"it gave an array of shape {array.shape} where {shape} was expected")
    return array
