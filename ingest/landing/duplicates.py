"""Which frames are new, which were there already, and which contradict what is there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.tables.rows import Integers, Rows
from lake.reader import Reader

IN_LAKE = -1


@dataclass(frozen=True, eq=False)
class Known:
    """Identities of the frames a dataset holds: its structures, and its labels in one label set."""

    structure_id: Integers
    structure_check: Integers
    geometry_id: Integers
    geometry_check: Integers
    labelled_id: Integers
    label_check: Integers


@dataclass(frozen=True, eq=False)
class Resolution:
    """What becomes of each of n rows.

    A row with neither flag is a duplicate, or one of ``rejected``, which maps the row to the
    reason. ``other_labels`` maps those refused for their labels to the earlier row that has the
    ones they are not, or `IN_LAKE`.
    """

    adds_structure: NDArray[np.bool_]
    adds_label: NDArray[np.bool_]
    rejected: dict[int, str] = field(default_factory=dict)
    other_labels: dict[int, int] = field(default_factory=dict)


def read_known(reader: Reader, dataset: str, label_set: str) -> Known:
    """The identities in one version of the lake."""
    ids = ("structure_id", "structure_check", "geometry_id", "geometry_check")
    structures = reader.columns("structures", reader.files("structures", dataset=dataset), ids)
    files = reader.files("labels", dataset=dataset, label_set=label_set)
    labels = reader.columns("labels", files, ("structure_id", "label_check"))
    return Known(
        **{name: structures[name].to_numpy() for name in ids},
        labelled_id=labels["structure_id"].to_numpy(),
        label_check=labels["label_check"].to_numpy(),
    )


def resolve(rows: Rows, known: Known) -> Resolution:
    """Tell new frames from repeated and contradicting ones, as if read one after the other.

    - A frame whose structure and labels are there is a duplicate.
    - A structure that is there without labels in this label set takes those of the frame.
    - Other labels for a structure that has some, and a hash that two different structures share,
      are rejects.
    """
    adds_structure = np.ones(len(rows), dtype=bool)
    adds_label = rows.has_label.copy()
    rejected = dict.fromkeys(_geometry_collisions(rows, known), _COLLISION)
    again = _seen_again(rows, known)
    for row in rejected:
        again[row] = True
    resolution = Resolution(adds_structure, adds_label, rejected)
    if again.any():
        _resolve_in_order(rows, known, np.flatnonzero(again), resolution)
    return resolution


_COLLISION = (
    "its hash is that of another structure in the dataset. Ingest this frame into a dataset of its "
    "own, and report it: it should happen once in 10^19 pairs"
)


_OTHER_LABELS = "the same frame is there with other labels"


def _seen_again(rows: Rows, known: Known) -> NDArray[np.bool_]:
    """Rows whose structure_id is known, or stands in several rows."""
    _, inverse, counts = np.unique(rows.structure_id, return_inverse=True, return_counts=True)
    return (counts[inverse] > 1) | np.isin(rows.structure_id, known.structure_id)


def _geometry_collisions(rows: Rows, known: Known) -> list[int]:
    """Rows whose geometry_id stands for another geometry earlier on."""
    ids = np.concatenate((known.geometry_id, rows.geometry_id))
    checks = np.concatenate((known.geometry_check, rows.geometry_check))
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    clashes = np.flatnonzero(checks != checks[first][inverse]) - len(known.geometry_id)
    return [row for row in clashes.tolist() if row >= 0]


def _resolve_in_order(
    rows: Rows,
    known: Known,
    again: NDArray[np.intp],
    resolution: Resolution,
) -> None:
    adds_structure, adds_label = resolution.adds_structure, resolution.adds_label
    rejected = resolution.rejected
    holders: dict[int, int] = {}
    wanted = np.unique(rows.structure_id[again])
    here = np.isin(known.structure_id, wanted)
    checks = dict(
        zip(known.structure_id[here].tolist(), known.structure_check[here].tolist(), strict=True)
    )
    here = np.isin(known.labelled_id, wanted)
    labels = dict(
        zip(known.labelled_id[here].tolist(), known.label_check[here].tolist(), strict=True)
    )
    for row in again.tolist():
        structure = int(rows.structure_id[row])
        check, label = int(rows.structure_check[row]), int(rows.label_check[row])
        if row not in rejected and checks.get(structure, check) != check:
            rejected[row] = _COLLISION
        if row not in rejected and rows.has_label[row] and labels.get(structure, label) != label:
            rejected[row] = _OTHER_LABELS
            resolution.other_labels[row] = holders.get(structure, IN_LAKE)
        if row in rejected:
            adds_structure[row] = adds_label[row] = False
            continue
        adds_structure[row] = structure not in checks
        adds_label[row] = rows.has_label[row] and structure not in labels
        checks[structure] = check
        if adds_label[row]:
            labels[structure] = label
            holders[structure] = row
