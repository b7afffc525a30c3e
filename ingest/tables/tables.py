"""Frames as rows of the tables structures and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.frames.frames import FrameBatch, Reject
from ingest.labels.label_keys import LabelRules
from ingest.labels.labels import Faults, Labels, take_labels
from ingest.labels.seen_keys import SeenKeys
from ingest.tables.geometry_faults import find_geometry_faults
from ingest.tables.names import NamePattern, apply_pattern
from ingest.tables.rows_of_frames import LABEL_FIELDS, STRUCTURE_FIELDS, label_rows, structure_rows


@dataclass(frozen=True, eq=False)
class Parsed:
    """What became of the frames of a block.

    Attributes
    ----------
    structures, labels
        The columns of the declared tables, less dataset, label_set and source_id, in the order of
        the frames. A frame without any label has no row in labels.
    line
        First line of each row of structures in its source. Shape (k,).
    n_frames
        Frames read: rows of structures, and rejects.
    rejects
        In the order of the frames.
    unmatched
        Names that did not match the name pattern.
    seen
        Keys of the frames, where some are mapped to labels.
    """

    structures: pa.Table
    labels: pa.Table
    line: NDArray[np.int64]
    n_frames: int
    rejects: tuple[Reject, ...]
    unmatched: frozenset[str]
    seen: SeenKeys


def _no_excerpt(frame: int, line: int) -> str:
    del frame, line
    return ""


def parse(
    batches: Sequence[FrameBatch],
    rules: LabelRules,
    *,
    name: str = "",
    name_pattern: NamePattern | None = None,
    rejects: Sequence[Reject] = (),
    excerpt: Callable[[int, int], str] = _no_excerpt,
) -> Parsed:
    """Make rows of frames: labels under their names, units of the lake, identities.

    Parameters
    ----------
    name
        Name of the file, for `name_pattern`.
    rejects
        Frames of the block that were refused before.
    excerpt
        The beginning of a frame, by its index and line in the source.
    """
    refused = list(rejects)
    unmatched: set[str] = set()
    structures = [pa.Table.from_batches([], STRUCTURE_FIELDS)]
    labels = [pa.Table.from_batches([], LABEL_FIELDS)]
    lines = [np.empty(0, np.int64)]
    seen = SeenKeys()
    for batch in batches:
        faults: Faults = {}
        if name_pattern is not None:
            batch = apply_pattern(batch, name_pattern, name, faults, unmatched)
        if rules.key_map:
            seen = SeenKeys.union((seen, SeenKeys.of([batch])))
        good, taken = checked_frames(batch, rules, faults)
        refused += [_reject(batch, i, reason, excerpt) for i, reason in faults.items()]
        rows, identity = structure_rows(good, taken.config_type)
        structures.append(rows)
        labels.append(label_rows(good, taken, identity))
        lines.append(good.line)
    line = np.concatenate(lines)
    table = pa.concat_tables(structures)
    if len(batches) > 1:
        line = line[np.argsort(table["frame"].to_numpy(), kind="stable")]
    return Parsed(
        structures=_in_order(table, len(batches)),
        labels=_in_order(pa.concat_tables(labels), len(batches)),
        line=line,
        n_frames=table.num_rows + len(refused),
        rejects=tuple(sorted(refused, key=lambda reject: reject.frame)),
        unmatched=frozenset(unmatched),
        seen=seen,
    )


def checked_frames(
    batch: FrameBatch, rules: LabelRules, faults: Faults
) -> tuple[FrameBatch, Labels]:
    """The frames without fault, in the units of the lake, and their labels.

    The others go into `faults`.
    """
    length = rules.units.length
    if length != 1.0:
        batch = replace(batch, cell=batch.cell * length, positions=batch.positions * length)
    find_geometry_faults(batch, faults)
    bare, labels = take_labels(batch, rules, faults)
    keep = np.ones(len(batch), dtype=np.bool_)
    keep[list(faults)] = False
    return bare.select(keep), labels.select(keep, batch.n_atoms)


def _reject(
    batch: FrameBatch, index: int, reason: str, excerpt: Callable[[int, int], str]
) -> Reject:
    frame, line = int(batch.frame[index]), int(batch.line[index])
    return Reject(frame, line, reason, excerpt(frame, line))


def _in_order(table: pa.Table, n_batches: int) -> pa.Table:
    if n_batches < 2:
        return table
    return table.take(np.argsort(table["frame"].to_numpy(), kind="stable"))
