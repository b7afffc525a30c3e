"""Which files were read before, with the same options, and have not changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ingest.sources.inputs import Input
from ingest.sources.source_stream import checksum
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
    files = reader.files("sources", dataset=options.dataset)
    columns = ("format", "label_set", "options", "size", "sha256")
    wanted = (file_format, options.label_set, options.as_json())
    rows = zip(*reader.columns("sources", files, columns).to_pydict().values(), strict=True)
    seen = {(size, sha256) for *how, size, sha256 in rows if tuple(how) == wanted}
    sizes = {size for size, _ in seen}
    return [
        item.uri
        for item in inputs
        if item.size in sizes and (item.size, checksum(item, storage_options)) in seen
    ]
