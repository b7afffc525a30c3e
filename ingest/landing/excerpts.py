"""How frames begin that were refused after they had been written."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ingest.frames.frames import EXCERPT_LENGTH
from ingest.tables.rows import Rows
from ingest.tasks.reading import TaskResult
from lake.exports.extxyz_values_text import pair_text
from lake.storage.arrow_input import open_parquet_input
from lake.storage.storage import Storage
from lake.structures.info_json import decode_info

_COLUMNS = ["n_atoms", "config_type", "info"]


def excerpts(
    storage: Storage, results: Sequence[TaskResult], rows: Rows, refused: Collection[int]
) -> dict[int, str]:
    """Count and keys of each refused row, as extended XYZ has them; the text itself is gone."""
    found: dict[int, str] = {}
    at = np.array(sorted(refused), dtype=np.int64)
    starts = np.searchsorted(rows.task, [result.number for result in results])
    for result, start in zip(results, starts.tolist(), strict=True):
        here = at[(at >= start) & (at < start + len(result.rows))]
        if result.structures is None or not len(here):
            continue
        path = f"structures/{result.structures.path}"
        with open_parquet_input(storage, path) as parquet:
            table = parquet.read(_COLUMNS, use_threads=storage.is_local)
        frames = table.take(here - start).to_pylist()
        found |= {row: _head(**frame) for row, frame in zip(here.tolist(), frames, strict=True)}
    return found


def _head(n_atoms: int, config_type: str | None, info: str | None) -> str:
    keys = decode_info(info or "{}")
    if config_type is not None:
        keys = {"config_type": config_type} | keys
    comment = " ".join(pair_text(key, value) for key, value in keys.items())
    return f"{n_atoms}\n{comment}\n"[:EXCERPT_LENGTH]
