"""Energies, stresses and virials among the info keys of one frame."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.frames.frames import Info
from ingest.frames.text_values import number
from ingest.labels.label_keys import LabelRules
from lake.counted import counted

# Codes print about this many digits of a stress.
RELATIVE_TOLERANCE = 1e-5
_INTEGER = re.compile(r"[+-]?[0-9]+")
_MISSING = ("", "None")

Value = TypeVar("Value")
Tensor = tuple[float, ...]
Floats = NDArray[np.float64]


class LabelError(ValueError):
    """A label that cannot be taken; the text says which and why."""


class LabelKeys:
    """For frames with the same info keys: the ones that may hold each label."""

    def __init__(self, keys: tuple[str, ...], rules: LabelRules) -> None:
        self._rules = rules
        self._found = {
            label: tuple(key for key in rules.keys(label) if key in keys)
            for label in ("energy", "stress", "virial", "config_type")
        }

    def take_plain_energies(self, infos: list[Info]) -> Floats | None:
        """Take all energies at once, where each frame has one key for it and a finite float there.

        Returns
        -------
        Floats | None
            Shape (k,); None, and nothing taken, where it is not as plain as that.
        """
        keys = self._found["energy"]
        if not keys:
            return np.full(len(infos), np.nan)
        values = [info[keys[0]] for info in infos]
        if len(keys) > 1 or set(map(type, values)) != {float}:
            return None
        return _take_if_finite(np.array(values), infos, keys[0])

    def take_plain_tensors(self, label: str, infos: list[Info]) -> Floats | None:
        """As `take_plain_energies`, where each tensor is 6, or each 9, finite floats. (k, 6)."""
        keys = self._found[label]
        if not keys:
            return np.full((len(infos), 6), np.nan)
        values = [info[keys[0]] for info in infos]
        if (
            len(keys) > 1
            or set(map(type, values)) != {list}
            or set(map(len, values)) not in ({6}, {9})
            or set(map(type, chain.from_iterable(values))) != {float}
        ):
            return None
        tensors = _voigt_rows(np.array(values))
        return None if tensors is None else _take_if_finite(tensors, infos, keys[0])

    def take_energy(self, info: Info) -> float | None:
        """Take the energy out of `info`; None when there is none.

        Raises
        ------
        LabelError
            Two keys differ, or a value is no finite number.
        """
        energies = self._usable("energy", info, number_of, "one number")
        if not energies:
            return None
        first, energy = next(iter(energies.items()))
        for other, value in list(energies.items())[1:]:
            if value != energy:
                raise _two("energy", first, energy, other, value)
        if not math.isfinite(energy):
            raise LabelError(f"{first} is {energy}; a finite energy expected. {_way_out('energy')}")
        del info[first]
        return energy

    def take_tensor(self, label: str, info: Info) -> Tensor | None:
        """Take the stress or virial out of `info`, in Voigt order; None when there is none.

        Raises
        ------
        LabelError
            Two keys differ, or a value is none of 6 or 9 finite numbers, or not symmetric.
        """
        numbers = self._usable(label, info, numbers_of, "6 or 9 numbers")
        if not numbers:
            return None
        try:
            tensors = {key: voigt(key, values) for key, values in numbers.items()}
        except LabelError as error:
            raise LabelError(f"{error}. {_way_out(label)}") from None
        first, tensor = next(iter(tensors.items()))
        for other, found in tensors.items():
            if not agree(tensor, found):
                raise _two(label, first, list(tensor), other, list(found))
        del info[first]
        return tensor

    def take_config_type(self, info: Info) -> str | None:
        """Take the config type out of `info`, or its text where it is of another type.

        Raises
        ------
        LabelError
            The user named another key, and the frame has a different ``config_type`` as well.
        """
        for key in self._found["config_type"]:
            value = info[key]
            text = value if isinstance(value, str) else str(value)
            if key != "config_type" and info.get("config_type", text) != text:
                raise _two("config_type", key, text, "config_type", info["config_type"])
            if isinstance(value, str):
                del info[key]
                info.pop("config_type", None)
            return text
        return None

    def _usable(
        self, label: str, info: Info, read: Callable[[Any], Value | None], expected: str
    ) -> dict[str, Value]:
        """What `read` makes of each key that holds something.

        Raises
        ------
        LabelError
            It makes nothing of one that should hold the label.
        """
        found: dict[str, Value] = {}
        bad: list[str] = []
        for key in self._found[label]:
            if is_missing(info[key]):
                continue
            value = read(info[key])
            if value is not None:
                found[key] = value
            elif self._rules.must_hold(label, key):
                bad.append(key)
        for key in bad:
            raise LabelError(
                f"{key} is {info[key]!r:.60}, {self._rules.claim(label)}; {expected} expected. "
                f"{_way_out(label, next(iter(found), ''))}"
            )
        return found


def _take_if_finite(values: Floats, infos: list[Info], key: str) -> Floats | None:
    if not np.isfinite(values).all():
        return None
    for info in infos:
        del info[key]
    return values


def is_missing(value: Any) -> bool:
    """Whether a key says that it holds nothing."""
    return value is None or (isinstance(value, str) and value.strip() in _MISSING)


def number_of(value: Any) -> float | None:
    """A number, also one that was kept as text because it does not fit 64 bits; else None."""
    if type(value) in (int, float):
        return float(value)
    if not isinstance(value, str):
        return None
    found = float(value) if _INTEGER.fullmatch(value) else number(value)
    return None if found is None else float(found)


def numbers_of(value: Any) -> list[float] | None:
    """A list of numbers, or three lists of three, as one flat list; None for anything else."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list):
        return None
    if len(value) == 3 and all(isinstance(row, list) and len(row) == 3 for row in value):
        value = [x for row in value for x in row]
    numbers = [found for x in value if (found := number_of(x)) is not None]
    return numbers if value and len(numbers) == len(value) else None


def voigt(key: str, values: list[float]) -> Tensor:
    """A symmetric tensor in Voigt order from 6 numbers, or from 9 row by row.

    Raises
    ------
    LabelError
        There are neither 6 nor 9, one is not finite, or the 9 are not symmetric.
    """
    if len(values) not in (6, 9):
        raise LabelError(
            f"{key} has {counted(len(values), 'number')}; 6 (Voigt) or 9 (row by row) expected"
        )
    if not all(map(math.isfinite, values)):
        raise LabelError(f"{key} is {values}; finite numbers expected")
    if len(values) == 9:
        xx, xy, xz, yx, yy, yz, zx, zy, zz = values
        if not agree((xy, xz, yz), (yx, zx, zy), scale=max(map(abs, values))):
            raise LabelError(f"{key} is {values}, which is not symmetric")
        values = [xx, yy, zz, yz, xz, xy]
    return tuple(map(float, values))


def _voigt_rows(values: Floats) -> Floats | None:
    """Symmetric tensors in Voigt order. Shape (k, 6) or (k, 9) to (k, 6); None if one is not."""
    if values.shape[1] == 6:
        return values
    tensors = values.reshape(-1, 3, 3)
    scale = np.abs(tensors).max(axis=(1, 2))[:, None, None]
    if not (np.abs(tensors - tensors.transpose(0, 2, 1)) <= RELATIVE_TOLERANCE * scale).all():
        return None
    return values[:, [0, 4, 8, 5, 2, 1]]


def agree(a: Tensor, b: Tensor, scale: float | None = None) -> bool:
    """Whether two tensors are the same to five digits of their largest component, or `scale`."""
    scale = max(map(abs, (*a, *b))) if scale is None else scale
    return all(abs(x - y) <= RELATIVE_TOLERANCE * scale for x, y in zip(a, b, strict=True))


def _way_out(label: str, key: str = "") -> str:
    does = f"to take {key} for it" if key else f"to have no {label}"
    return f"Mend the frame, or give --map {label}={key} {does}"


def _two(label: str, first: str, value: Any, second: str, other: Any) -> LabelError:
    return LabelError(
        f"{first} is {value} and {second} is {other}: two values for the {label}. Say which one "
        f"it is: --map {label}={first}"
    )
