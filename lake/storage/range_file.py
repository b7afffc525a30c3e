"""A file in an object store, read by ranges."""

from __future__ import annotations

import threading

from lake.errors import StorageError
from lake.storage.object_storage import ObjectStorage


class RangeFile:
    """A file below the root of a lake; every thread has a place of its own in it.

    Parameters
    ----------
    storage
        The object store.
    path
        The file, below the root of the lake.
    size
        Its size in bytes; asked for when not given.

    Raises
    ------
    NotFoundError, StorageError
        The size was asked for, and there is no such file, or the store refuses.
    """

    def __init__(self, storage: ObjectStorage, path: str, size: int | None = None) -> None:
        self._storage = storage
        self._path = path
        self._local = threading.local()
        self.closed = False
        self.size = storage.size(path) if size is None else size
        self.details = {"name": path, "size": self.size, "type": "file"}  # DuckDB looks in here

    def tell(self) -> int:
        """Place of this thread, in bytes."""
        return getattr(self._local, "place", 0)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the place of this thread."""
        self._local.place = offset + (0, self.tell(), self.size)[whence]
        return self.tell()

    def read(self, length: int = -1) -> bytes:
        """Bytes from the place of this thread on; fewer at the end of the file."""
        import obstore

        start = self.tell()
        stop = self.size if length < 0 else min(start + length, self.size)
        if stop <= start:
            return b""
        try:
            data = obstore.get_range(self._storage.store, self._path, start=start, end=stop)
        except (FileNotFoundError, obstore.exceptions.BaseError) as error:
            raise StorageError(
                f"{self._storage.url(self._path)}: {str(error).splitlines()[0]}. Expected to read "
                f"bytes {start} to {stop}. Check connection and credentials, and try again."
            ) from error
        self._local.place = stop
        return bytes(data)

    def close(self) -> None:
        """Nothing is held."""
        self.closed = True

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def writable(self) -> bool:
        """It is not for writing."""
        return False

    def seekable(self) -> bool:
        """Any place can be read."""
        return True

    def flush(self) -> None:
        """Nothing is written."""
