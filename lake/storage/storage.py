"""Where the bytes of a lake lie: a folder, or a bucket of an object store.

Everything atomlake writes goes through the few methods of `Storage`; so there is one place that
decides what durable means, and one place where tests break things.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from lake.errors import InvalidInputError

# Schemes obstore and delta-rs both speak.
OBJECT_SCHEMES = ("s3", "gs", "az", "abfs", "abfss")


@dataclass(frozen=True)
class StoredFile:
    """A file in storage: path below the root, size in bytes, time of writing in s since 1970."""

    path: str
    size: int
    modified_s: float


class Storage(Protocol):
    """Bytes under paths below one root. Paths use ``/`` and are relative to the root."""

    uri: str
    options: Mapping[str, str]
    is_local: bool

    def __hash__(self) -> int:
        """By identity: what never changes in a lake may be remembered for a storage."""
        ...

    def url(self, path: str) -> str:
        """What DuckDB, Polars and delta-rs call the file or folder at `path`."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is a file at `path`."""
        ...

    def read(self, path: str) -> bytes:
        """All bytes of a file. Raises NotFoundError when there is none."""
        ...

    def open_input(self, path: str) -> BinaryIO:
        """A readable stream over a file."""
        ...

    def list_files(self, folder: str) -> Iterator[StoredFile]:
        """Every file below a folder, at any depth; nothing when there is no such folder."""
        ...

    def put_new(self, path: str, data: bytes) -> bool:
        """Write a whole file, durably, unless there is one: False then, and nothing changes.

        Atomic: of several writers exactly one gets True, and no reader sees a part of it.
        """
        ...

    def put(self, path: str, data: bytes) -> None:
        """Write a whole file, durably and atomically, over what was there."""
        ...

    def create(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A stream into a new file, which is durable when the block ends without an error.

        When it ends with one, the file is taken away again.
        """
        ...

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it, durably; nothing happens where there is one."""
        ...

    def sync(self, path: str) -> None:
        """Make a file that something else wrote durable, with its place in its folder."""
        ...

    def delete(self, path: str) -> None:
        """Take a file away; nothing happens when there is none."""
        ...


def open_storage(uri: str, options: Mapping[str, str] | None = None) -> Storage:
    """The storage behind a path or URL.

    Parameters
    ----------
    uri
        A path, ``file://…``, or ``s3://…``, ``gs://…``, ``az://…``.
    options
        What the object store needs (endpoint, region, keys); what is missing comes from the
        environment.

    Raises
    ------
    InvalidInputError
        The URL's scheme is none that is known.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        scheme, rest = "file", uri
    if scheme == "file":
        from lake.storage.local_storage import LocalStorage

        return LocalStorage(rest)
    if scheme in OBJECT_SCHEMES:
        from lake.storage.object_storage import ObjectStorage

        return ObjectStorage(uri, dict(options or {}))
    raise InvalidInputError(
        f"{uri}: cannot keep a lake under {scheme}://. Expected a path or one of "
        f"{', '.join(s + '://' for s in OBJECT_SCHEMES)}."
    )
