"""Calculators that are slow, fail, or give what is no number: for the tests of compute/."""

from __future__ import annotations

import time
from typing import Any

from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.calculators.emt import EMT


class slow(EMT):  # noqa: N801 - the name the model gets
    """EMT that takes its time."""

    def __init__(self, seconds: float = 0.01) -> None:
        super().__init__()
        self.seconds = seconds

    def calculate(
        self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes
    ) -> None:
        time.sleep(self.seconds)
        super().calculate(atoms, properties, system_changes)


class touchy(EMT):  # noqa: N801
    """EMT that fails on structures of three atoms."""

    def calculate(
        self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes
    ) -> None:
        if len(atoms) == 3:
            raise RuntimeError("no convergence in 100 steps")
        super().calculate(atoms, properties, system_changes)


class garbled(EMT):  # noqa: N801
    """EMT that fails with what is no text."""

    def calculate(
        self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes
    ) -> None:
        raise RuntimeError("read \udcff from its output")


class wrong(EMT):  # noqa: N801
    """EMT that gives NaN forces for single atoms."""

    def calculate(
        self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        if len(atoms) == 1:
            self.results["forces"] = self.results["forces"] * float("nan")


class choosy(EMT):  # noqa: N801
    """EMT that has no stress for structures of eight atoms."""

    def get_property(self, name: str, atoms: Any = None, allow_calculation: bool = True) -> Any:
        if name == "stress" and len(atoms) == 8:
            raise PropertyNotImplementedError("no stress")
        return super().get_property(name, atoms, allow_calculation)


class energetic(Calculator):  # noqa: N801
    """An electronvolt an atom, and nothing else."""

    implemented_properties = ("energy",)

    def calculate(
        self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": float(len(atoms))}
