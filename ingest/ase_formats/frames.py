"""Structures of ASE as frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from ingest.frames.frames import FrameBatch, Info
from lake.structures.elements import N_ELEMENTS

if TYPE_CHECKING:
    from ase import Atoms

_KINDS = {"f": np.float64, "i": np.int64, "u": np.int64, "b": np.bool_, "U": object}


class AseFrameError(ValueError):
    """Something of a structure that has no place in the lake."""


@dataclass(frozen=True, eq=False)
class AseFrame:
    """One structure with everything it carries. ``index`` counts from 0 in its file."""

    index: int
    atoms: Atoms
    info: Info
    arrays: dict[str, NDArray[Any]]

    @property
    def signature(self) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
        """Names, kinds and widths of the arrays: frames that share them make one batch."""
        return tuple((n, v.dtype.kind, v.shape[1:]) for n, v in sorted(self.arrays.items()))


def frame_of(atoms: Atoms, index: int) -> AseFrame:
    """A structure as a frame.

    Raises
    ------
    AseFrameError
        It has no atoms, an atom without element, a constraint other than fixed atoms, or a value
        of a type the lake has none for.
    """
    if not len(atoms):
        raise AseFrameError("has no atoms")
    is_element = (atoms.numbers >= 1) & (atoms.numbers <= N_ELEMENTS)
    if not is_element.all():
        atom = int(np.argmin(is_element))
        raise AseFrameError(f"atom {atom} is {atoms.symbols[atom]}, which is no element")
    info = {str(key): _plain(str(key), value) for key, value in atoms.info.items()}
    if atoms.get_celldisp().any():  # type: ignore[no-untyped-call]
        info.setdefault("celldisp", atoms.get_celldisp().reshape(-1).tolist())  # type: ignore[no-untyped-call]
    arrays = {
        name: _column(name, values)
        for name, values in atoms.arrays.items()
        if name not in ("numbers", "positions")
    }
    _add_results(atoms, info, arrays)
    mask = _move_mask(atoms)
    if mask is not None:
        arrays.setdefault("move_mask", mask)
    try:
        orjson.dumps(info)
    except TypeError as error:
        raise AseFrameError(f"its info cannot be kept as JSON: {error}") from None
    return AseFrame(index, atoms, info, arrays)


def batches_of(frames: Sequence[AseFrame]) -> list[FrameBatch]:
    """Frames as batches, each of those with the same arrays."""
    groups: dict[Any, list[AseFrame]] = {}
    for frame in frames:
        groups.setdefault(frame.signature, []).append(frame)
    return [_batch(group) for group in groups.values()]


def _batch(frames: list[AseFrame]) -> FrameBatch:
    atoms = [frame.atoms for frame in frames]
    return FrameBatch(
        frame=np.array([frame.index for frame in frames], dtype=np.int64),
        line=np.zeros(len(frames), dtype=np.int64),
        n_atoms=np.array([len(a) for a in atoms], dtype=np.int64),
        cell=np.array([a.cell.array for a in atoms], dtype=np.float64),
        pbc=np.array([a.pbc for a in atoms], dtype=np.bool_),
        numbers=np.concatenate([a.numbers for a in atoms]).astype(np.int16),
        positions=np.concatenate([a.positions for a in atoms]).astype(np.float64, copy=False),
        arrays={
            name: np.concatenate([frame.arrays[name] for frame in frames])
            for name in frames[0].arrays
        },
        info=[frame.info for frame in frames],
    )


def _add_results(atoms: Atoms, info: Info, arrays: dict[str, NDArray[Any]]) -> None:
    """Put results of the calculator among the info keys and arrays, where none stands already."""
    results = {} if atoms.calc is None else atoms.calc.results
    for name, value in results.items():
        if value is None:
            continue
        is_per_atom = isinstance(value, np.ndarray) and value.shape[:1] == (len(atoms),)
        if is_per_atom and name not in ("stress", "dipole"):
            arrays.setdefault(name, _column(name, value))
        else:
            info.setdefault(name, _plain(name, value))


def _move_mask(atoms: Atoms) -> NDArray[np.bool_] | None:
    """Which atoms may move, as ASE writes it; None where all do. Shape (n_atoms,)."""
    from ase.constraints import FixAtoms

    if not atoms.constraints:
        return None
    mask = np.ones(len(atoms), dtype=np.bool_)
    for constraint in atoms.constraints:
        if not isinstance(constraint, FixAtoms):
            raise AseFrameError(
                f"has the constraint {type(constraint).__name__}; only FixAtoms can be kept. "
                "Remove it before, e.g. with atoms.set_constraint()"
            )
        mask[constraint.index] = False
    return mask


def _column(name: str, values: NDArray[Any]) -> NDArray[Any]:
    kind = _KINDS.get(values.dtype.kind)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    is_text = values.dtype.kind == "O" and all(isinstance(v, str) for v in values.flat)
    if values.ndim > 2 or (kind is None and not is_text):
        raise AseFrameError(
            f"the per-atom array {name} has shape {values.shape} and type {values.dtype}; numbers, "
            "truths or text expected, at most one row per atom"
        )
    column: NDArray[Any] = values.astype(object if is_text else kind)
    return column


def _plain(key: str, value: Any) -> Any:
    """A value as JSON has it."""
    from ase.spacegroup import Spacegroup

    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Spacegroup):
        return value.symbol
    if isinstance(value, dict):
        return {str(k): _plain(key, v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(key, v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise AseFrameError(
        f"the info key {key} holds a {type(value).__name__}, which cannot be kept; numbers, "
        "truths, text, lists and dicts can"
    )
