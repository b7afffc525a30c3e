"""Labels taken out of the keys and arrays of frames, in the units of the lake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.frames.frames import FrameBatch, Info
from ingest.labels.label_keys import LabelRules
from ingest.labels.label_values import LabelError, LabelKeys, agree

__all__ = ["LabelRules", "Labels", "take_labels"]

# Frame by its index in the batch, and why it does not go in.
Faults = dict[int, str]

_NO_TENSOR = (np.nan,) * 6


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of k frames of N atoms in all.

    Attributes
    ----------
    energy
        NaN where a frame has none. Shape (k,), eV.
    forces
        None where no frame has any. Shape (N, 3), eV/Å.
    stress
        Voigt order, sign as in ASE; NaN where a frame has none. Shape (k, 6), eV/Å³.
    config_type
        Length k.
    """

    energy: NDArray[np.float64]
    forces: NDArray[np.float64] | None
    stress: NDArray[np.float64]
    config_type: list[str | None]

    def select(self, keep: NDArray[np.bool_], n_atoms: NDArray[np.int64]) -> Labels:
        """Labels of the frames where `keep` is true. Shape (k,)."""
        if keep.all():
            return self
        return Labels(
            self.energy[keep],
            None if self.forces is None else self.forces[np.repeat(keep, n_atoms)],
            self.stress[keep],
            [c for c, kept in zip(self.config_type, keep, strict=True) if kept],
        )


def take_labels(batch: FrameBatch, rules: LabelRules, faults: Faults) -> tuple[FrameBatch, Labels]:
    """Take the labels out of `batch`, whose lengths are in Å already.

    What cannot be taken is put into `faults`; those frames are still in the result.

    Returns
    -------
    tuple[FrameBatch, Labels]
        The frames without the keys and arrays that were taken, and the labels.
    """
    k = len(batch)
    energy = np.full(k, np.nan)
    stress, virial = np.full((k, 6), np.nan), np.full((k, 6), np.nan)
    config_type: list[str | None] = [None] * k
    infos: list[Info] = [dict(info) for info in batch.info]
    layouts: dict[tuple[str, ...], list[int]] = {}
    for i, info in enumerate(infos):
        layouts.setdefault(tuple(info), []).append(i)
    for layout, frames in layouts.items():
        keys = LabelKeys(layout, rules)
        alike = _Alike(frames, [infos[i] for i in frames], faults)
        energy[frames] = alike.take(keys.take_plain_energies, keys.take_energy, np.nan)
        for label, tensors in (("stress", stress), ("virial", virial)):
            tensors[frames] = alike.take(
                partial(keys.take_plain_tensors, label),
                partial(keys.take_tensor, label),
                _NO_TENSOR,
            )
        for i in frames:
            try:
                config_type[i] = keys.take_config_type(infos[i])
            except LabelError as error:
                faults.setdefault(i, str(error))
    arrays, forces = _take_forces(batch, rules, faults)
    labels = Labels(
        _scaled(energy, rules.units.energy),
        forces,
        _merged_stress(batch, stress, virial, rules, faults),
        config_type,
    )
    return replace(batch, info=infos, arrays=arrays), labels


@dataclass(frozen=True)
class _Alike:
    """Frames of a batch with the same info keys."""

    frames: list[int]
    infos: list[Info]
    faults: Faults

    def take(
        self,
        take_all: Callable[[list[Info]], NDArray[np.float64] | None],
        take_one: Callable[[Info], Any],
        missing: Any,
    ) -> NDArray[np.float64]:
        """Values of all frames the fast way, or else one by one; `missing` where there is none."""
        values = take_all(self.infos)
        if values is not None:
            return values
        found = []
        for i, info in zip(self.frames, self.infos, strict=True):
            value = None
            try:
                value = take_one(info)
            except LabelError as error:
                self.faults.setdefault(i, str(error))
            found.append(missing if value is None else value)
        return np.array(found, dtype=np.float64)


def _scaled(values: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    return values if factor == 1.0 else values * factor


def _merged_stress(
    batch: FrameBatch,
    stress: NDArray[np.float64],
    virial: NDArray[np.float64],
    rules: LabelRules,
    faults: Faults,
) -> NDArray[np.float64]:
    """Stress, also where it is given as a virial. Shape (k, 6), eV/Å³."""
    stress = _scaled(stress, rules.units.stress)
    has_virial = ~np.isnan(virial[:, 0])
    if not has_virial.any():
        return stress
    volume = np.abs(np.linalg.det(batch.cell))
    virial = _scaled(virial, rules.units.virial)
    for i in np.flatnonzero(has_virial).tolist():
        if volume[i] == 0:
            faults.setdefault(i, "has a virial, but its cell has no volume to make it a stress")
            continue
        made = -virial[i] / volume[i]
        if np.isnan(stress[i, 0]):
            stress[i] = made
        elif not agree(tuple(stress[i]), tuple(made)):
            faults.setdefault(
                i,
                f"has the stress {stress[i].tolist()} eV/Å³ and a virial that makes it "
                f"{made.tolist()}. Say which one holds: --map virial= or --map stress=",
            )
    return stress


def _take_forces(
    batch: FrameBatch, rules: LabelRules, faults: Faults
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64] | None]:
    arrays = dict(batch.arrays)
    there = [key for key in rules.keys("forces") if key in arrays]
    keys = [key for key in there if are_vectors(arrays[key])]
    for key in there:
        if key not in keys and rules.must_hold("forces", key):
            other = keys[0] if keys else ""
            reason = (
                f"{_declared(key, arrays[key])}, {rules.claim('forces')}, is no column of three "
                f"real numbers; {key}:R:3 expected. Mend the frame, or give --map forces={other} "
                f"to {f'take {other} for them' if other else 'have no forces'}"
            )
            for i in range(len(batch)):
                faults.setdefault(i, reason)
    if not keys:
        return arrays, None
    forces = arrays.pop(keys[0]).astype(np.float64, copy=False)
    for other in keys[1:]:
        differs = (forces != arrays[other]).any(axis=1)
        for i, atom in first_atoms(differs, batch):
            faults.setdefault(
                i,
                f"atom {atom} has {keys[0]} {_row(forces, batch, i, atom)} and {other} "
                f"{_row(arrays[other], batch, i, atom)}: two values for the forces. Say which one "
                f"it is: --map forces={keys[0]}",
            )
    is_bad: NDArray[np.bool_] = np.logical_not(np.isfinite(forces).all(axis=1))
    for i, atom in first_atoms(is_bad, batch):
        faults.setdefault(
            i,
            f"atom {atom} has {keys[0]} {_row(forces, batch, i, atom)}; finite numbers expected",
        )
    return arrays, _scaled(forces, rules.units.forces)


def are_vectors(values: NDArray[Any]) -> bool:
    """Whether a per-atom array holds three numbers for every atom."""
    return values.dtype.kind in "fi" and values.ndim == 2 and values.shape[1] == 3


def _declared(key: str, values: NDArray[Any]) -> str:
    letter = {"f": "R", "i": "I", "b": "L"}.get(values.dtype.kind, "S")
    return f"{key}:{letter}:{values.shape[1] if values.ndim == 2 else 1}"


def first_atoms(is_bad: NDArray[np.bool_], batch: FrameBatch) -> list[tuple[int, int]]:
    """Each frame with a bad atom, and the first of them, counted from 0.

    Parameters
    ----------
    is_bad
        Shape (N,).
    """
    atoms = np.flatnonzero(is_bad)
    if not len(atoms):
        return []
    offsets = batch.offsets
    frames, first = np.unique(np.searchsorted(offsets, atoms, side="right") - 1, return_index=True)
    return [(int(i), int(atoms[j] - offsets[i])) for i, j in zip(frames, first, strict=True)]


def _row(values: NDArray[Any], batch: FrameBatch, frame: int, atom: int) -> list[float]:
    row: list[float] = values[batch.offsets[frame] + atom].tolist()
    return row
