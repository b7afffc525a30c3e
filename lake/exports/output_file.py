"""Files and folders outside the lake that are there as a whole or not at all."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast
from uuid import uuid4

from lake.errors import InvalidInputError, StorageError


@contextmanager
def finished_path(path: str) -> Iterator[Path]:
    """A path to write a file or folder at; when the block ends well, it is called `path`.

    When the block ends with an error, what was written is taken away again.
    """
    target = Path(path).expanduser().absolute()
    temporary = target.with_name(f".{target.name}.{uuid4().hex}.tmp")
    try:
        yield temporary
        temporary.replace(target)
    except StorageError:
        raise  # of the lake that is read
    except OSError as error:
        raise StorageError(
            f"{target}: {error.strerror or error}. Expected a place with room where you may "
            "write. Nothing was written; choose another."
        ) from error
    finally:
        with suppress(OSError):  # another error may be on its way, which this must not hide
            if temporary.is_dir():
                shutil.rmtree(temporary)
            else:
                temporary.unlink(missing_ok=True)


@contextmanager
def output_stream(path: str) -> Iterator[BinaryIO]:
    """A stream into a new file, which replaces what was there in the end; ``-`` is standard output.

    A device or a named pipe is written to as it stands.

    Raises
    ------
    InvalidInputError
        There is a folder of that name.
    """
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if Path(path).is_dir():
        raise InvalidInputError(f"{path} is a folder. Expected the name of a file. Choose one.")
    if Path(path).exists() and not Path(path).is_file():
        with _open_place(path) as stream, _compressed(stream, path) as compressed:
            yield compressed
        return
    with finished_path(path) as temporary:
        with temporary.open("xb") as stream, _compressed(stream, path) as compressed:
            yield compressed
        with temporary.open("rb") as written:
            os.fsync(written.fileno())


@contextmanager
def _open_place(path: str) -> Iterator[BinaryIO]:
    """A stream into what is no file, and must not be replaced by one."""
    try:
        with Path(path).open("wb") as stream:
            yield stream
    except (BrokenPipeError, StorageError):
        raise  # its reader has gone, which is no fault; or of the lake that is read
    except OSError as error:
        raise StorageError(
            f"{path}: {error.strerror or error}. Expected a place with room where you may write. "
            "Choose another."
        ) from error


@contextmanager
def _compressed(stream: BinaryIO, path: str) -> Iterator[BinaryIO]:
    """A stream that compresses as the ending of `path` says."""
    if path.endswith(".gz"):
        with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=6) as packed:
            yield cast(BinaryIO, packed)
    elif path.endswith(".xz"):
        with lzma.LZMAFile(stream, "wb", preset=1) as packed_xz:
            yield cast(BinaryIO, packed_xz)
    elif path.endswith(".zst"):
        import pyarrow as pa

        with pa.CompressedOutputStream(pa.PythonFile(stream, mode="w"), "zstd") as packed_zst:
            yield cast(BinaryIO, packed_zst)
    else:
        yield stream
