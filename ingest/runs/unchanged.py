"""Which logs were read before, with the same options, and have not changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingest.sources.inputs import Input
from ingest.sources.unchanged import find_content
from lake.reader import Reader


def find_unchanged(
    reader: Reader,
    inputs: Sequence[Input],
    file_format: str,
    options: str,
    storage_options: Mapping[str, str],
) -> dict[str, int]:
    """URIs of the inputs whose content the lake has already, and their rejects back then.

    Only a file whose size was seen before is read for its checksum.
    """
    columns = ("format", "options", "size", "sha256", "rejects")
    rows = reader.columns("sources", reader.files("sources"), columns).to_pylist()
    seen = {
        (row["size"], row["sha256"]): row["rejects"]
        for row in rows
        if (row["format"], row["options"]) == (file_format, options)
    }
    return find_content(inputs, seen, storage_options)
