"""Taking data out of the newest version of a lake; the past still holds them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lake.errors import NotFoundError
from lake.log.data_files import DataFile, write_data_file
from lake.log.state import State
from lake.log.transaction import Changes
from lake.reader import Reader
from schemas import TABLES
from schemas.sources import LOG_FORMATS

if TYPE_CHECKING:
    import polars as pl

    from lake.lake import Lake

OF_A_DATASET = tuple(name for name, table in TABLES.items() if "dataset" in table.partition)
# Parts of a dataset that can go alone: a partition column, and the tables that have it.
TABLES_OF = {
    "label_set": ("labels",),
    "model": ("embeddings", "predictions"),
    "scheme": ("regions",),
    "saved_as": ("ood_scores",),
}


def drop(
    lake: Lake,
    *,
    dataset: str,
    label_set: str | None = None,
    model: str | None = None,
    scheme: str | None = None,
    scores: str | None = None,
) -> pl.DataFrame:
    """Take out a dataset with everything that belongs to it, or only a part of it.

    Training runs stay, also of a project that is called like the dataset.
    With `label_set` its labels go. Its sources stay, because structures come from them, but in no
    label set, so that the same files can be ingested again. With `model` its predictions and
    latents go; the arrays of the latents stay until vacuum finds that no version points at them.
    With `scheme` its regions go; ``sites`` stands for ``sites-2`` and ``sites-3``. With
    `scores` those saved under that name go.

    Returns
    -------
    One row per table: rows_removed and files_removed.

    Raises
    ------
    NotFoundError
        There is no such dataset; label set, model, scheme or scores in it.
    """
    done = Changes()
    named = {"label_set": label_set, "model": model, "scheme": scheme, "saved_as": scores}
    parts = {column: value for column, value in named.items() if value is not None}

    def plan(state: State) -> Changes:
        nonlocal done
        reader = Reader(lake.storage, state)
        found = _find(reader, dataset, parts)
        added: dict[str, list[DataFile]] = {}
        removed = dict(found)
        if label_set is not None:
            added, replaced = _released_sources(reader, dataset, label_set)
            removed |= replaced
        if not parts:
            added = _accounts_of_logs(reader, dataset)

        def still_valid(_: State, new: State) -> bool:
            now = Reader(lake.storage, new)
            there = _find(now, dataset, parts)
            return all(_paths(there[name]) == _paths(found[name]) for name in found) and (
                _paths(now.files("sources", dataset=dataset))
                == _paths(reader.files("sources", dataset=dataset))
            )

        done = Changes(added=added, removed=removed, still_valid=still_valid)
        return done

    lake.commit("drop", plan, arguments={"dataset": dataset, **parts})
    return _report(done)


def _find(reader: Reader, dataset: str, parts: Mapping[str, str]) -> dict[str, list[DataFile]]:
    """The files that hold what is to go, by table; `parts` are values of partition columns."""
    whole = {name: reader.files(name, dataset=dataset) for name in OF_A_DATASET}
    if not any(whole.values()):
        raise _missing(reader, OF_A_DATASET, "dataset", dataset)
    if not parts:
        return whole
    found: dict[str, list[DataFile]] = {}
    for column, value in parts.items():
        tables = TABLES_OF[column]
        for name in tables:
            found[name] = [f for f in whole[name] if _is_part(column, f.partition[column], value)]
        if not any(found[name] for name in tables):
            raise _missing(reader, tables, column, value, dataset)
    return found


def _is_part(column: str, stored: str, wanted: str) -> bool:
    """Whether a partition is meant; a family of schemes means both of its schemes."""
    return wanted == stored or (column == "scheme" and wanted == stored.rpartition("-")[0])


def _paths(files: Sequence[DataFile]) -> set[str]:
    return {file.path for file in files}


def _missing(
    reader: Reader, tables: Sequence[str], column: str, name: str, dataset: str | None = None
) -> NotFoundError:
    files = [file for table in tables for file in reader.files(table, dataset=dataset)]
    kind = column.replace("_", " ") + (f" of {dataset}" if dataset is not None else "")
    return NotFoundError.among(kind, name, {file.partition[column] for file in files})


def _released_sources(
    reader: Reader, dataset: str, label_set: str
) -> tuple[dict[str, list[DataFile]], dict[str, list[DataFile]]]:
    """Files to add and to remove so that no source says its labels are in the label set."""
    import polars as pl

    rows = reader.scan("sources", dataset=dataset).collect()
    is_of_set = pl.col("label_set").eq_missing(label_set)
    if rows.filter(is_of_set).is_empty():
        return {}, {}
    released = rows.with_columns(label_set=pl.when(~is_of_set).then("label_set"))
    partition = {"dataset": dataset}
    file = write_data_file(
        reader.storage, TABLES["sources"], partition, uuid.uuid4().hex, released.to_arrow()
    )
    return {"sources": [file]}, {"sources": reader.files("sources", dataset=dataset)}


def _accounts_of_logs(reader: Reader, dataset: str) -> dict[str, list[DataFile]]:
    """Files to add again: accounts of training runs of a project called like the dataset."""
    import polars as pl

    sources = reader.scan("sources", dataset=dataset).filter(pl.col("format").is_in(LOG_FORMATS))
    rejects = reader.scan("rejects", dataset=dataset).join(sources, on="source_id", how="semi")
    kept = {"sources": sources.collect(), "rejects": rejects.collect()}
    return {
        name: [
            write_data_file(
                reader.storage,
                TABLES[name],
                {"dataset": dataset},
                uuid.uuid4().hex,
                rows.to_arrow(),
            )
        ]
        for name, rows in kept.items()
        if not rows.is_empty()
    }


def _report(done: Changes) -> pl.DataFrame:
    import polars as pl

    records = []
    for name, files in done.removed.items():
        rows = sum(f.n_rows for f in files) - sum(f.n_rows for f in done.added.get(name, ()))
        if rows:
            records.append((name, rows, len(files)))
    schema = {"table": pl.String, "rows_removed": pl.Int64, "files_removed": pl.Int64}
    return pl.DataFrame(records, schema=schema, orient="row")
