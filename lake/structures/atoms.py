"""Structures of the lake as ase.Atoms, with their labels as a calculator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
from ase import Atoms

from lake.errors import InvalidInputError
from lake.reader import Reader
from lake.rows.labelled_rows import LabelledRows, choose_label_set
from lake.rows.row_index import Places
from lake.rows.selection import select_places
from lake.structures.atom_arrays import Arrays, decode_arrays
from lake.structures.single_structure import frame_info, read_parts
from lake.structures.stored_labels import StoredLabels
from lake.structures.structure_arrays import StructureArrays

COLUMNS = ("n_atoms", "numbers", "positions", "cell", "pbc", "config_type", "info", "arrays")

# One structure at a time is a common way to ask; the index need not be made for each.
_opened: WeakKeyDictionary[Reader, tuple[str | None, LabelledRows]] = WeakKeyDictionary()
_chosen: WeakKeyDictionary[Reader, dict[tuple[str | None, str | None], str | None]]
_chosen = WeakKeyDictionary()

_COMPARED: tuple[str, ...] = ("initial_magmoms", "initial_charges")


def read_atoms(
    reader: Reader,
    structure_id: int | Sequence[int],
    *,
    dataset: str | None = None,
    label_set: str | None = None,
) -> Atoms | list[Atoms]:
    """One structure, or a list of them in the order asked.

    Keys of the frame are in ``info``, config_type among them; other per-atom arrays in ``arrays``.
    Labels that are known (energy in eV, forces in eV/Å, stress in eV/Å³) are a calculator.

    Parameters
    ----------
    reader
        The version of the lake.
    structure_id
        An id, or several.
    dataset
        The dataset to read them from. By default any that has them: the id stands for the content.
    label_set
        Which labels; by default the only ones there are.

    Raises
    ------
    NotFoundError
        There is no such structure, dataset or label set.
    InvalidInputError
        There are several label sets and none is named.
    """
    chosen = _chosen.setdefault(reader, {})
    if (label_set, dataset) not in chosen:
        chosen[label_set, dataset] = choose_label_set(reader, label_set, dataset)
    rows = _rows(reader, chosen[label_set, dataset])
    if isinstance(structure_id, int | np.integer):
        return _assemble(*read_parts(rows, int(structure_id), dataset))
    return _build(*rows.fetch(structure_id, dataset))


def iter_atoms(
    reader: Reader,
    where: str | None = None,
    *,
    label_set: str | None = None,
    batch_size: int = 256,
) -> Iterator[list[Atoms]]:
    """Lists of at most `batch_size` structures, in the order of the files.

    Parameters
    ----------
    reader
        The version of the lake.
    where
        An SQL condition; see `lake.rows.selection.select_places`.
    label_set
        Which labels; by default the only ones there are.
    batch_size
        Structures in a list. Memory grows with it, and by the row groups held (512 MB at most,
        or two row groups where these are larger).

    Raises
    ------
    InvalidInputError
        The condition is wrong, or there are several label sets and none is named.
    """
    if batch_size < 1:
        raise InvalidInputError(f"batch_size is {batch_size}. Expected at least 1.")
    rows = _rows(reader, choose_label_set(reader, label_set))
    places = select_places(reader, rows.structures.index, where, label_set)
    return _batches(rows, places, batch_size)


def _batches(rows: LabelledRows, places: Places, batch_size: int) -> Iterator[list[Atoms]]:
    for start in range(0, len(places), batch_size):
        yield _build(*rows.take(places[start : start + batch_size]))


def _rows(reader: Reader, label_set: str | None) -> LabelledRows:
    last = _opened.get(reader)
    if last is None or last[0] != label_set:
        last = label_set, LabelledRows(reader, label_set, columns=COLUMNS)
        _opened[reader] = last
    return last[1]


def _assemble(
    geometry: dict[str, Any], info: dict[str, Any], arrays: Arrays, results: dict[str, Any]
) -> Atoms:
    atoms = Atoms(**geometry)
    atoms.info = info
    atoms.arrays.update(arrays)
    if results:
        # ASE holds labels to the moments and charges too; further arrays do not count.
        own = {name: arrays[name] for name in _COMPARED if name in arrays}
        atoms.calc = StoredLabels(geometry, own, results)
    return atoms


def _build(structures: pa.Table, labels: pa.Table | None) -> list[Atoms]:
    arrays = StructureArrays.from_rows(structures, labels)
    bounds = arrays.offsets.tolist()
    infos = _infos(structures)
    column = structures["arrays"]
    others = None if column.null_count == len(column) else decode_arrays(column)
    results = [{}] * len(arrays) if labels is None else _results(arrays, labels)
    found = []
    for i, (start, stop) in enumerate(pairwise(bounds)):
        # Copies: one structure that is kept must not keep its whole batch.
        geometry = {
            "numbers": arrays.numbers[start:stop].copy(),
            "positions": arrays.positions[start:stop].copy(),
            "cell": arrays.cell[i],
            "pbc": arrays.pbc[i],
        }
        found.append(_assemble(geometry, infos[i], {} if others is None else others[i], results[i]))
    return found


def _infos(structures: pa.Table) -> list[dict[str, Any]]:
    """What every frame says of itself."""
    kinds, texts = (structures[name].to_pylist() for name in ("config_type", "info"))
    return [frame_info(kind, text) for kind, text in zip(kinds, texts, strict=True)]


def _results(arrays: StructureArrays, labels: pa.Table) -> list[dict[str, Any]]:
    """The labels of every structure that are known, by ASE's names."""
    assert arrays.energy is not None
    assert arrays.forces is not None
    assert arrays.stress is not None
    energies = arrays.energy.tolist()
    has_forces, has_stress = (labels[name].is_valid().to_pylist() for name in ("forces", "stress"))
    found = []
    for i, (start, stop) in enumerate(pairwise(arrays.offsets.tolist())):
        results: dict[str, Any] = {}
        if energies[i] == energies[i]:  # not NaN
            results["energy"] = energies[i]
        if has_forces[i]:
            results["forces"] = arrays.forces[start:stop].copy()
        if has_stress[i]:
            results["stress"] = arrays.stress[i].copy()
        found.append(results)
    return found
