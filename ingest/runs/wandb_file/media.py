"""Histograms, images and tables: a `.wandb` file keeps their parts as items of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ingest.runs.logged_values import SEPARATOR, decode_json, json_text
from ingest.runs.wandb_file.items import Path
from ingest.runs.wandb_file.run_content import HistoryCells

TYPE = "_type"


def keyed_cells(history: HistoryCells) -> pl.DataFrame:
    """The cells of a history as record, key and text, those of one media entry joined into one.

    An entry is what lies beside a nested key ``_type``: ``h._type``, ``h.values`` and ``h.bins``
    become ``h``.
    """
    typed = [i for i, path in enumerate(history.paths) if len(path) > 1 and path[-1] == TYPE]
    cells = history.cells
    with_media = cells.filter(pl.col("path").is_in(typed))["record"].unique()
    is_joined = pl.col("record").is_in(with_media.implode())
    names = [SEPARATOR.join(path) for path in history.paths]
    keys = pl.Series("key", names, dtype=pl.String).gather(cells["path"])
    plain = cells.with_columns(keys).filter(~is_joined).select("record", "key", "text")
    if not len(with_media):
        return plain
    joined = []
    for (record,), row in cells.filter(is_joined).group_by("record", maintain_order=True):
        items = [(history.paths[code], text) for code, text in row.select("path", "text").rows()]
        joined += [(record, SEPARATOR.join(path), text) for path, text in _joined(items)]
    whole = pl.concat([plain, pl.DataFrame(joined, schema=plain.schema, orient="row")])
    return whole.sort("record", maintain_order=True)


def nested_object(items: Mapping[Path, Any]) -> dict[str, Any]:
    """Values under nested keys as an object of objects.

    Examples
    --------
    >>> nested_object({("a", "b"): 1, ("a", "c"): 2, ("d",): 3})
    {'a': {'b': 1, 'c': 2}, 'd': 3}
    """
    whole: dict[str, Any] = {}
    for path, value in items.items():
        place = whole
        for name in path[:-1]:
            inner = place.get(name)
            if not isinstance(inner, dict):
                inner = place[name] = {}
            place = inner
        place[path[-1]] = value
    return whole


def _joined(items: list[tuple[Path, bytes]]) -> list[tuple[Path, bytes]]:
    """The items of a row, each media entry as one item where its first part was."""
    entries = {path[:-1] for path, _ in items if len(path) > 1 and path[-1] == TYPE}
    parts: dict[Path, dict[Path, Any]] = {}
    slots: list[tuple[Path, bytes | None]] = []
    for path, text in items:
        entry = next((path[:n] for n in range(1, len(path)) if path[:n] in entries), None)
        if entry is None:
            slots.append((path, text))
            continue
        if entry not in parts:
            parts[entry] = {}
            slots.append((entry, None))
        parts[entry][path[len(entry) :]] = decoded_or_text(text)
    return [
        (path, json_text(nested_object(parts[path])).encode() if text is None else text)
        for path, text in slots
    ]


def decoded_or_text(value: bytes) -> Any:
    """A JSON value; what is no JSON as text, so that nothing is lost."""
    text = value.decode("utf-8", "replace")
    try:
        return decode_json(text)
    except ValueError:
        return text
