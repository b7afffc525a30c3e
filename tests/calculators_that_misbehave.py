"""Calculators that are slow, fail, or give what is no number: for the tests of compute/."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
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


class quitting(EMT):  # noqa: N801
    """EMT that wants to end the process at structures of three atoms."""

    def calculate(
        self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes
    ) -> None:
        if len(atoms) == 3:
            sys.exit("no licence for three atoms")
        super().calculate(atoms, properties, system_changes)


class lingering(EMT):  # noqa: N801
    """EMT that leaves a thread and a child behind that end much later."""

    def __init__(self) -> None:
        super().__init__()
        threading.Thread(target=time.sleep, args=(60,)).start()
        subprocess.Popen(["sleep", "60"])


class swapped(EMT):  # noqa: N801
    """EMT whose own file is another by the time it is loaded, where `file` names that file."""

    def __init__(self, file: str) -> None:
        super().__init__()
        if Path(file).exists():
            with Path(__file__).open("a") as stream:
                stream.write("# other\n")
