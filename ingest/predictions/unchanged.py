"""Which files were read before, and would give nothing else if they were read again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from ingest.predictions.accounts import UNMATCHED
from ingest.predictions.landing import MATCHED_AT, OPERATION
from ingest.predictions.options import PredictionOptions
from ingest.sources.inputs import Input
from ingest.sources.source_stream import checksum
from lake.errors import CorruptLakeError, NotFoundError, StorageError
from lake.lake import Lake
from lake.reader import Reader


def find_unchanged(
    lake: Lake,
    reader: Reader,
    inputs: Sequence[Input],
    options: PredictionOptions,
    datasets: Sequence[str],
    storage_options: Mapping[str, str],
) -> dict[str, int]:
    """URIs of the inputs with nothing new, and their rejects back then.

    A file is read again where structures came or went since it was matched, or predictions of the
    model went. Only a file whose size was seen before is read for its checksum.
    """
    seen = _read_before(reader, options, datasets)
    sizes = {size for size, _ in seen}
    unchanged = {}
    for item in inputs:
        if item.size not in sizes:
            continue
        sha256 = checksum(item, storage_options)
        n_rejects = seen.get((item.size, sha256))
        if n_rejects is None:
            continue
        versions = _versions(reader, options, sha256)
        if versions is not None and _stands(lake, reader, options, datasets, *versions):
            unchanged[item.uri] = n_rejects
    return unchanged


def _read_before(
    reader: Reader, options: PredictionOptions, datasets: Sequence[str]
) -> dict[tuple[int, str], int]:
    """Size and checksum of every file read with these options, and its rejects the last time."""
    columns = ("source_id", "size", "sha256", "rejects", "read_at", "format", "options")
    wanted = (options.source_format, options.as_json())
    # A file was read in one operation, and has a row in every dataset that it has frames in.
    readings: dict[tuple[int, str], dict[int, tuple[datetime, int]]] = {}
    for dataset in (*datasets, UNMATCHED):
        files = reader.files("sources", dataset=dataset)
        for row in reader.columns("sources", files, columns).to_pylist():
            if (row["format"], row["options"]) == wanted:
                found = readings.setdefault((row["size"], row["sha256"]), {})
                read_at, n = found.get(row["source_id"], (row["read_at"], 0))
                found[row["source_id"]] = max(read_at, row["read_at"]), n + row["rejects"]
    return {key: max(found.values())[1] for key, found in readings.items()}


def _versions(reader: Reader, options: PredictionOptions, sha256: str) -> tuple[int, int] | None:
    """When a file was last read: the version it was matched with, and the one it went into."""
    names = ("version", "operation", "arguments", "inputs")
    rows = reader.columns("commits", reader.files("commits"), names).to_pylist()
    for row in sorted(rows, key=lambda row: -row["version"]):
        if row["operation"] != OPERATION:
            continue
        arguments = json.loads(row["arguments"])
        same = all(arguments.get(key) == value for key, value in options.as_dict().items())
        if same and sha256 in json.loads(row["inputs"]).values():
            return arguments[MATCHED_AT], row["version"]
    return None


def _stands(
    lake: Lake,
    reader: Reader,
    options: PredictionOptions,
    datasets: Sequence[str],
    matched: int,
    committed: int,
) -> bool:
    """Whether what a file was matched with, and what came of it, is as it was."""
    try:
        before, after = lake.at(matched).reader, lake.at(committed).reader
        tables = ["structures", "labels"] if options.file_format == "json" else ["structures"]
        for dataset in datasets:
            for table in tables:
                if _paths(before, table, dataset) != _paths(reader, table, dataset):
                    return False
            made = _paths(after, "predictions", dataset, model=options.model)
            if made - _paths(reader, "predictions", dataset, model=options.model):
                return False
    except (NotFoundError, CorruptLakeError, StorageError):
        return False  # that version was forgotten
    return True


def _paths(reader: Reader, table: str, dataset: str, model: str | None = None) -> set[str]:
    return {file.path for file in reader.files(table, dataset=dataset, model=model)}
