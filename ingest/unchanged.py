"""Which files were read before, with the same options, and have not changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from ingest.inputs import Input
from ingest.source_stream import checksum
from lake.reader import Reader

if TYPE_CHECKING:
    from ingest.api import Options


def find_unchanged(
    reader: Reader,
    inputs: Sequence[Input],
    options: Options,
    *,
    file_format: str,
    storage_options: Mapping[str, str],
) -> list[str]:
    """URIs of the inputs whose content the dataset has already.

    Only a file whose size was seen before is read for its checksum.
    """
    rows = (
        reader.scan("sources", dataset=options.dataset)
        .filter(
            pl.col("format") == file_format,
            pl.col("label_set") == options.label_set,
            pl.col("options") == options.as_json(),
        )
        .select("size", "sha256")
        .collect()
    )
    sizes, checksums = set(rows["size"]), set(rows["sha256"])
    return [
        item.uri
        for item in inputs
        if item.size in sizes and checksum(item, storage_options) in checksums
    ]
