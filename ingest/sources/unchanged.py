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
) -> dict[str, int]:
    """URIs of the inputs whose content the dataset has already, and their rejects back then.

    Only a file whose size was seen before is read for its checksum.
    """
    files = reader.files("sources", dataset=options.dataset)
    columns = ("format", "label_set", "options", "size", "sha256", "rejects")
    wanted = (file_format, options.label_set, options.as_json())
    rows = zip(*reader.columns("sources", files, columns).to_pydict().values(), strict=True)
    seen = {(size, sha256): n for *how, size, sha256, n in rows if tuple(how) == wanted}
    return find_content(inputs, seen, storage_options)


def find_content(
    inputs: Sequence[Input],
    seen: Mapping[tuple[int, str], int],
    storage_options: Mapping[str, str],
) -> dict[str, int]:
    """URIs of the inputs whose size and checksum were seen, and what was seen with them.

    Only a file whose size was seen before is read for its checksum.
    """
    sizes = {size for size, _ in seen}
    read_before = {
        item.uri: seen.get((item.size, checksum(item, storage_options)))
        for item in inputs
        if item.size in sizes
    }
    return {uri: rejects for uri, rejects in read_before.items() if rejects is not None}
