"""What the user named, as files to read: paths, patterns, URLs and standard input."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, cast

from lake.errors import AtomlakeError, InvalidInputError, StorageError
from lake.names import FileNames
from lake.storage.storage import open_storage

STANDARD_INPUT = "-"
_MAGIC = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}


@dataclass(frozen=True)
class Input:
    """One thing to read. ``size`` in bytes is None where only reading tells."""

    uri: str
    size: int | None = None
    is_local: bool = True

    @property
    def name(self) -> str:
        """The file's own name, without the endings of compression."""
        name = self.uri.rpartition("/")[2]
        stem, dot, ending = name.rpartition(".")
        return stem if dot and ending in ("gz", "xz", "zst", "bz2") else name


def find_inputs(names: FileNames, options: Mapping[str, str]) -> list[Input]:
    """Everything the names stand for, patterns in alphabetical order, nothing twice.

    Parameters
    ----------
    names
        One or several: paths, patterns with ``*``, ``?``, ``[…]`` and ``**``, URLs of object
        stores, ``-``.
    options
        Storage options for URLs.

    Raises
    ------
    InvalidInputError
        A name stands for nothing that can be read; all such names are listed.
    """
    found: dict[str, Input] = {}
    wrong = []
    for name in file_names(names):
        try:
            found |= {item.uri: item for item in _expand(name, options)}
        except AtomlakeError as error:
            wrong.append(str(error))
    if wrong:
        raise InvalidInputError("\n".join(wrong))
    if not found:
        raise InvalidInputError("No files were named. Expected paths, patterns, URLs or '-'.")
    return list(found.values())


def file_names(names: FileNames) -> list[str]:
    """The names as text, of one or of several."""
    several = [names] if isinstance(names, str | os.PathLike) else names
    return [os.fspath(name) for name in several]


def _expand(name: str, options: Mapping[str, str]) -> Iterator[Input]:
    if name == STANDARD_INPUT:
        yield Input(STANDARD_INPUT, is_local=False)
    elif "://" in name:
        folder, _, pattern = name.rpartition("/")
        objects = open_storage(folder, options).list_files("")
        there = {f.path: f.size for f in objects if fnmatchcase(f.path, pattern)}
        there = {path: size for path, size in there.items() if "/" not in path}
        if not there:
            raise InvalidInputError(f"{name}: no object has this name. Check the URL.")
        for path, size in sorted(there.items()):
            yield Input(f"{folder}/{path}", size, is_local=False)
    elif Path(name).exists() or not glob.has_magic(name):
        yield _local(Path(name))
    else:
        # pathlib would need the fixed beginning of the pattern split off first.
        found = glob.glob(name, recursive=True)  # noqa: PTH207
        paths = sorted(path for path in found if not Path(path).is_dir())
        if not paths:
            raise InvalidInputError(f"{name}: no file fits this pattern. Check the folder.")
        yield from (_local(Path(path)) for path in paths)


def _local(path: Path) -> Input:
    if path.is_dir():
        raise InvalidInputError(
            f"{path} is a folder. Expected files; name them with a pattern: '{path}/*'."
        )
    if not path.exists():
        raise InvalidInputError(f"{path}: there is no such file. Check the path.")
    if not os.access(path, os.R_OK):
        raise InvalidInputError(f"{path}: no permission to read. Ask its owner, or chmod it.")
    regular = path.is_file()  # a pipe has no size
    return Input(str(path.absolute()), path.stat().st_size if regular else None, regular)


@contextmanager
def open_raw(item: Input, options: Mapping[str, str]) -> Iterator[BinaryIO]:
    """The bytes of an input as they lie there."""
    import sys

    if item.uri == STANDARD_INPUT:
        yield sys.stdin.buffer
    elif "://" in item.uri:
        folder, _, file = item.uri.rpartition("/")
        yield open_storage(folder, options).open_input(file)
    else:
        try:
            stream = Path(item.uri).open("rb")  # noqa: SIM115 - closed below
        except OSError as error:
            raise StorageError(
                f"{item.uri}: {error.strerror or error}. It was there a moment ago. Nothing was "
                "committed. Run the same command again."
            ) from error
        with stream:
            yield stream


def compression_of(head: bytes) -> str | None:
    """How a file is compressed, by its first bytes; None when it is not."""
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    return None


def decompressed(stream: BinaryIO, compression: str) -> BinaryIO:
    """The text inside a compressed stream."""
    if compression == "gzip":
        import gzip

        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if compression == "xz":
        import lzma

        return cast(BinaryIO, lzma.LZMAFile(stream))
    if compression == "bz2":
        import bz2

        return cast(BinaryIO, bz2.BZ2File(stream))
    import pyarrow as pa

    return cast(BinaryIO, pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), compression))
