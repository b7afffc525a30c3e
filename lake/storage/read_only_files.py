"""Files of a lake in an object store, for DuckDB to read and for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fsspec import AbstractFileSystem

from lake.errors import StorageError
from lake.storage.object_storage import ObjectStorage
from lake.storage.range_file import RangeFile

# Data files never change: with one time for all, DuckDB may keep what it has read of them.
_WRITTEN = datetime(2000, 1, 1, tzinfo=UTC)


class ReadOnlyFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec is untyped
    """The files below the root of a lake, by their URLs.

    obstore's own file system for fsspec will not do. DuckDB 2.0 reads one open file from several
    threads at once, a seek and a read at a time, and there they share one place in the file.
    """

    cachable = False  # fsspec would hand out the file system of another lake

    def __init__(self, storage: ObjectStorage) -> None:
        super().__init__()
        self.protocol, _, self._root = storage.uri.partition("://")
        self._storage = storage
        self._sizes: dict[str, int] = {}

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name, size in bytes and type of a file."""
        path = self._below_root(path)
        if path not in self._sizes:
            self._sizes[path] = RangeFile(self._storage, path).size
        return {"name": path, "size": self._sizes[path], "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:
        """The path itself: the files of a lake are named one by one."""
        return [path]

    def modified(self, path: str) -> datetime:
        """The same time for every file."""
        return _WRITTEN

    def _open(self, path: str, mode: str = "rb", **_: Any) -> RangeFile:
        if mode != "rb":
            raise StorageError(
                f"{path}: SQL does not write to a lake. Expected a path outside of it. Choose one."
            )
        info = self.info(path)
        return RangeFile(self._storage, info["name"], info["size"])

    def _below_root(self, path: str) -> str:
        return path.removeprefix(f"{self.protocol}://").removeprefix(f"{self._root}/")
