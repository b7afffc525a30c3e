"""Units of a source, and the factors that bring them to eV and Å."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache

from lake.errors import InvalidInputError, NotFoundError

QUANTITIES = ("energy", "length", "forces", "stress", "virial")
_POWER = re.compile(r"(?P<name>[^\^*]+)(?:(?:\^|\*\*)(?P<power>[0-9]))?")


@dataclass(frozen=True)
class SourceUnits:
    """Factors from the units of a source to those of the lake: eV, Å, eV/Å, eV/Å³.

    ``stress`` is negative for a source that counts compression as positive. ``named`` holds the
    units as they were given.
    """

    energy: float = 1.0
    length: float = 1.0
    forces: float = 1.0
    stress: float = 1.0
    virial: float = 1.0
    named: tuple[tuple[str, str], ...] = field(default=())

    @classmethod
    def parse(cls, assignments: Sequence[str]) -> SourceUnits:
        """Read units such as ``["energy=Hartree", "length=Bohr", "stress=-GPa"]``.

        What is not named follows: forces = energy/length, stress = energy/length^3, virial =
        energy.

        Raises
        ------
        InvalidInputError
            An assignment is malformed, or its unit is of another dimension.
        NotFoundError
            There is no such quantity or unit.

        Examples
        --------
        >>> round(SourceUnits.parse(["energy=Hartree", "length=Bohr"]).forces, 4)
        51.4221
        """
        named: dict[str, str] = {}
        for assignment in assignments:
            quantity, separator, unit = (part.strip() for part in assignment.partition("="))
            if not separator or not unit:
                raise InvalidInputError(
                    f"--units {assignment}: QUANTITY=UNIT expected, e.g. energy=Hartree."
                )
            if quantity not in QUANTITIES:
                raise NotFoundError.among("quantity with a unit", quantity, QUANTITIES)
            if named.setdefault(quantity, unit) != unit:
                raise InvalidInputError(
                    f"--units gives {quantity} twice: {named[quantity]} and {unit}. Give one."
                )
        factors = {quantity: _factor(quantity, unit) for quantity, unit in named.items()}
        energy, length = factors.get("energy", 1.0), factors.get("length", 1.0)
        return cls(
            energy,
            length,
            factors.get("forces", energy / length),
            factors.get("stress", energy / length**3),
            factors.get("virial", energy),
            tuple(sorted(named.items())),
        )

    def as_dict(self) -> dict[str, str]:
        """The units that were given, by quantity."""
        return dict(self.named)


# Powers of energy and length that make up each quantity.
_DIMENSIONS = {
    "energy": (1, 0),
    "length": (0, 1),
    "forces": (1, -1),
    "stress": (1, -3),
    "virial": (1, 0),
}


@cache
def _known() -> dict[str, tuple[float, tuple[int, int]]]:
    """Every unit by name: its value in eV and Å, and its powers of energy and length."""
    from ase import units

    energy, length, stress = (_DIMENSIONS[q] for q in ("energy", "length", "stress"))
    return {
        "eV": (1.0, energy),
        "meV": (1e-3, energy),
        "Hartree": (units.Hartree, energy),
        "Ha": (units.Hartree, energy),
        "Rydberg": (units.Rydberg, energy),
        "Ry": (units.Rydberg, energy),
        "kcal/mol": (units.kcal / units.mol, energy),
        "kJ/mol": (units.kJ / units.mol, energy),
        "Angstrom": (1.0, length),
        "Ang": (1.0, length),
        "ang": (1.0, length),
        "A": (1.0, length),
        "Å": (1.0, length),
        "Bohr": (units.Bohr, length),
        "nm": (10.0, length),
        "GPa": (units.GPa, stress),
        "kbar": (0.1 * units.GPa, stress),
        "bar": (1e-4 * units.GPa, stress),
        "Pa": (1e-9 * units.GPa, stress),
    }


def _factor(quantity: str, text: str) -> float:
    """The value of a unit such as ``Hartree/Bohr``, ``kcal/mol/Å`` or ``-GPa``."""
    unit = text.removeprefix("-")
    if unit != text and quantity not in ("stress", "virial"):
        raise InvalidInputError(f"--units {quantity}={text}: only stress and virial have a sign.")
    value, dimension = _product(unit)
    if dimension != _DIMENSIONS[quantity]:
        raise InvalidInputError(
            f"--units {quantity}={text}: that is no unit of {quantity}. Expected one such as "
            f"{_example(quantity)}."
        )
    return -value if unit != text else value


def _product(unit: str) -> tuple[float, tuple[int, int]]:
    known = _known()
    for name in ("kcal/mol", "kJ/mol"):
        if unit.startswith(name):
            first, rest = name, unit[len(name) :].lstrip("/")
            break
    else:
        first, _, rest = unit.partition("/")
    value, energy, length = 1.0, 0, 0
    for i, part in enumerate([first, *rest.split("/")] if rest else [first]):
        sign = 1 if i == 0 else -1
        match = _POWER.fullmatch(part.strip())
        name = match["name"].strip() if match else part
        if match is None or name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f"Did you mean {', '.join(near)}? " if near else ""
            raise NotFoundError(
                f"No unit is called {name!r}. {hint}There are: {', '.join(known)}, and products "
                "of powers such as eV/Å^3."
            )
        power = sign * int(match["power"] or 1)
        unit_value, powers = known[name]
        value *= math.pow(unit_value, power)
        energy += power * powers[0]
        length += power * powers[1]
    return value, (energy, length)


def _example(quantity: str) -> str:
    return {
        "energy": "eV, Hartree or kcal/mol",
        "length": "Å, Bohr or nm",
        "forces": "eV/Å, Hartree/Bohr or kcal/mol/Å",
        "stress": "eV/Å^3, GPa or kbar",
        "virial": "eV, Hartree or kcal/mol",
    }[quantity]
