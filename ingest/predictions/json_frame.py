"""One frame of a JSON cache: the labels and predictions in it, or why there are none."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from ingest.labels.label_values import LabelError, numbers_of, voigt
from ingest.labels.units import SourceUnits
from lake.counted import counted
from lake.structures.elements import SYMBOLS, hill_formula

Floats = NDArray[np.float64]

_FORMULA = re.compile(r"(?:[A-Z][a-z]?[0-9]{0,9})+")
_PART = re.compile(r"([A-Z][a-z]?)([0-9]*)")
_KNOWN = frozenset(SYMBOLS[1:])
_NO_STRESS = (np.nan,) * 6
_SECTIONS = "an object with energy, forces and stress expected"


@dataclass(frozen=True, eq=False)
class JsonFrame:
    """What a frame holds, in the units of the lake.

    ``formula`` is in Hill order, None where it is not given. ``reference_energy`` and ``energy``
    are NaN where they are missing, ``stress`` six NaNs; ``forces`` is None or of shape (n_atoms,
    3), ``reference_forces`` always there.
    """

    formula: str | None
    reference_energy: float
    reference_forces: Floats
    energy: float
    forces: Floats | None
    stress: tuple[float, ...]


def read_frame(text: bytes, units: SourceUnits) -> JsonFrame:
    """The frame an item of the list stands for.

    Raises
    ------
    LabelError
        It is none; the text says why.
    """
    item = _decoded(text)
    if not isinstance(item, dict):
        raise LabelError(f"is no object but {_shown(item)}. {_SHAPE}")
    reference, prediction = _section(item, "reference"), _section(item, "prediction")
    formula, n_atoms = _formula(item.get("formula")), _count(item.get("n_atoms"))
    if formula is not None:
        if n_atoms not in (None, formula[1]):
            raise LabelError(
                f"the formula {formula[0]} has {counted(formula[1], 'atom')}, n_atoms is {n_atoms}"
            )
        n_atoms = formula[1]
    known = _forces("reference.forces", reference.get("forces"))
    if known is None:
        raise LabelError(
            "has no reference forces. Without positions they tell which structure it is; energies "
            "alone may agree by chance. Write the predictions as extended XYZ"
        )
    n_atoms = _same(n_atoms, len(known), "rows in reference.forces")
    forces = _forces("prediction.forces", prediction.get("forces"))
    if forces is not None:
        _same(n_atoms, len(forces), "rows in prediction.forces")
    energy = _energy("prediction.energy", prediction.get("energy"))
    stress = _stress(prediction.get("stress"))
    if forces is None and energy != energy and stress is _NO_STRESS:
        raise LabelError("holds no prediction: energy, forces and stress are missing or null")
    return JsonFrame(
        None if formula is None else formula[0],
        _energy("reference.energy", reference.get("energy")) * units.energy,
        known * units.forces,
        energy * units.energy,
        None if forces is None else forces * units.forces,
        tuple(value * units.stress for value in stress),
    )


_SHAPE = 'Expected {"formula": …, "n_atoms": …, "reference": {…}, "prediction": {…}}'


def _decoded(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass  # NaN and Infinity, which Python writes and JSON lacks
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelError(f"is no JSON: {error}. {_SHAPE}") from None


def _section(item: dict[str, Any], name: str) -> dict[str, Any]:
    section = item.get(name)
    if not isinstance(section, dict):
        what = _shown(section) if name in item else "missing"
        raise LabelError(f"{name} is {what}; {_SECTIONS}. {_SHAPE}")
    return section


def _count(value: Any) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise LabelError(f"n_atoms is {_shown(value)}; a whole number from 1 expected")
    return value


def _formula(text: Any) -> tuple[str, int] | None:
    """A formula in Hill order, and its number of atoms."""
    if text is None:
        return None
    counts: dict[str, int] = {}
    is_formula = isinstance(text, str) and _FORMULA.fullmatch(text) is not None
    for symbol, number in _PART.findall(text) if is_formula else ():
        counts[symbol] = counts.get(symbol, 0) + int(number or 1)
    if not counts or not counts.keys() <= _KNOWN:
        raise LabelError(f"formula is {_shown(text)}; one such as Cu31 or C5H8O2 expected")
    return hill_formula(counts), sum(counts.values())


def _same(n_atoms: int | None, count: int, what: str) -> int:
    if n_atoms is not None and n_atoms != count:
        raise LabelError(f"there are {count} {what} for {n_atoms} atoms. Every atom needs one")
    return count


def _energy(name: str, value: Any) -> float:
    if value is None:
        return np.nan
    if type(value) not in (int, float):
        raise LabelError(f"{name} is {_shown(value)}; one number expected")
    try:
        energy = float(value)
    except OverflowError:
        energy = np.inf
    if not np.isfinite(energy):
        raise LabelError(f"{name} is {_shown(value)}; a finite number expected")
    return energy


def _forces(name: str, value: Any) -> Floats | None:
    if value is None:
        return None
    try:
        found = np.array(value)
    except (ValueError, OverflowError):
        found = np.empty(0)
    if found.dtype.kind not in "fiu" or found.ndim != 2 or found.shape[1] != 3 or not len(found):
        raise LabelError(f"{name} is {_shown(value)}; three numbers for every atom expected")
    forces = found.astype(np.float64)
    is_finite = np.isfinite(forces).all(axis=1)
    if not is_finite.all():
        atom = int(np.argmin(is_finite))
        raise LabelError(
            f"{name}: atom {atom} has {forces[atom].tolist()}; finite numbers expected"
        )
    return forces


def _stress(value: Any) -> tuple[float, ...]:
    if value is None:
        return _NO_STRESS
    numbers = numbers_of(value) if isinstance(value, list) else None
    if numbers is None:
        raise LabelError(f"prediction.stress is {_shown(value)}; 6 or 9 numbers expected")
    return voigt("prediction.stress", numbers)


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, or lists in lists
        return "too large to show"
    return text if len(text) <= 60 else f"{text[:60]}…"
