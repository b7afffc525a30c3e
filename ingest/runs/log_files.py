"""Log files to read: those named, and those found in folders that were named."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from ingest.runs.formats import LogKind
from ingest.sources.inputs import Input, file_names, find_inputs, open_raw
from ingest.sources.source_stream import SourceStream
from ingest.tasks.tasks import Progress, Source, size_of
from lake.errors import InvalidInputError
from lake.names import FileNames

_CHUNK_BYTES = 16 << 20


def find_log_files(names: FileNames, kind: LogKind, options: Mapping[str, str]) -> list[Input]:
    """The files named, folders standing for every log of the kind below them.

    Links to folders, such as wandb's ``latest-run``, are not followed.

    Raises
    ------
    InvalidInputError
        A name stands for nothing that can be read.
    """
    expanded: list[str] = []
    for name in file_names(names):
        folders = _folders(name)
        for folder in folders:
            expanded += _logs_below(folder, kind)
        if not folders:
            expanded.append(name)
    return find_inputs(expanded, options)


def _folders(name: str) -> list[Path]:
    """The folders a name or pattern stands for."""
    if "://" in name:
        return []
    # pathlib would need the fixed beginning of the pattern split off first.
    found = glob.glob(name) if glob.has_magic(name) else [name]  # noqa: PTH207
    return [Path(each) for each in sorted(found) if Path(each).is_dir()]


def _logs_below(folder: Path, kind: LogKind) -> list[str]:
    found = [
        str(Path(place) / file)
        for place, _, files in os.walk(folder)
        for file in files
        if kind.finds(file)
    ]
    if not found:
        raise InvalidInputError(
            f"{folder} holds no file {kind.pattern}. Expected a folder with training logs. Check "
            "the folder, or name files."
        )
    return sorted(found)


def read_bytes(
    sources: Sequence[Source], options: Mapping[str, str], progress: Progress
) -> Iterator[tuple[Source, bytes]]:
    """Each source with its bytes, decompressed; checksum, size and fault are put into it."""
    total, done = size_of(sources), 0
    for source in sources:
        with open_raw(source.item, options) as raw:
            stream = SourceStream(raw)
            data = b"".join(iter(lambda: cast(BinaryIO, stream).read(_CHUNK_BYTES), b""))  # noqa: B023 - used up at once
            source.sha256, source.size = stream.finish()
            source.reject = stream.file_reject()
        done += source.size
        yield source, data
        progress(done, total)
