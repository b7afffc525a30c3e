"""A lake in an object store, through obstore."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from lake.errors import InvalidInputError, NotFoundError, StorageError
from lake.storage.storage import StoredFile

if TYPE_CHECKING:
    from obstore import ReadableFile
    from obstore.store import ObjectStore

_BUFFER_BYTES = 256 * 1024

# obstore's threads serve every store of a process, and a fork does not copy threads.
_used_in: int | None = None


def obstore_options(options: Mapping[str, str]) -> dict[str, Any]:
    """Options as delta-rs takes them, sorted into the two kinds obstore takes."""
    config = {key.lower(): value for key, value in options.items()}
    allow_http = config.pop("aws_allow_http", config.pop("allow_http", "false"))
    client = {"allow_http": True} if allow_http.lower() in ("1", "true") else None
    return {"config": config, "client_options": client}


class _ObjectInput(io.RawIOBase):
    """obstore's reader as a stream of Python's: it lacks `closed`, `with` and our errors."""

    def __init__(self, reader: ReadableFile, refused: Callable[[Exception], StorageError]) -> None:
        super().__init__()
        self._reader = reader
        self._refused = refused

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._reader.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._reader.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        import obstore

        try:
            data = self._reader.read(len(buffer))
        except (obstore.exceptions.BaseError, OSError) as error:
            raise self._refused(error) from error
        buffer[: len(data)] = data
        return len(data)


class ObjectStorage:
    """Objects below a prefix. A put is durable and atomic when the store has answered."""

    is_local = False

    def __init__(self, uri: str, options: Mapping[str, str]) -> None:
        from obstore.store import from_url

        self.uri = uri.rstrip("/")
        self.options = options
        try:
            self._store = from_url(self.uri, **obstore_options(options))
        except Exception as error:  # obstore has no common base for a wrong option
            raise StorageError(
                f"{self.uri}: {error}. Expected a bucket URL and the store's own options. "
                "Check --storage-option and the environment."
            ) from error

    @property
    def store(self) -> ObjectStore:
        """What obstore's functions take.

        Raises
        ------
        InvalidInputError
            The process was forked from one that had used obstore: it would wait forever.
        """
        global _used_in
        if _used_in not in (None, os.getpid()):
            raise InvalidInputError(
                f"{self.uri}: this process was forked from one that had read an object store. "
                "Expected a process started anew, since obstore does not survive a fork. Give "
                'multiprocessing_context="forkserver" (or "spawn") to DataLoader, or start '
                "processes that way."
            )
        _used_in = os.getpid()
        return self._store

    def url(self, path: str) -> str:
        return f"{self.uri}/{path}"

    def exists(self, path: str) -> bool:
        try:
            self.size(path)
        except NotFoundError:
            return False
        return True

    def size(self, path: str) -> int:
        """Bytes of a file. Raises NotFoundError when there is none."""
        import obstore

        try:
            return int(obstore.head(self.store, path)["size"])
        except FileNotFoundError:
            raise NotFoundError(f"{self.url(path)} does not exist.") from None
        except obstore.exceptions.BaseError as error:
            raise self._refused(path, error) from error

    def read(self, path: str) -> bytes:
        import obstore

        try:
            return bytes(obstore.get(self.store, path).bytes())
        except FileNotFoundError:
            raise NotFoundError(f"{self.url(path)} does not exist.") from None
        except obstore.exceptions.BaseError as error:
            raise self._refused(path, error) from error

    def open_input(self, path: str) -> BinaryIO:
        import obstore

        try:
            reader = obstore.open_reader(self.store, path)
        except FileNotFoundError:
            raise NotFoundError(f"{self.url(path)} does not exist.") from None
        except obstore.exceptions.BaseError as error:
            raise self._refused(path, error) from error
        stream = _ObjectInput(reader, partial(self._refused, path))
        return io.BufferedReader(stream, _BUFFER_BYTES)

    def list_files(self, folder: str) -> Iterator[StoredFile]:
        import obstore

        try:
            for page in obstore.list(self.store, folder):
                for entry in page:
                    modified_s = entry["last_modified"].timestamp()
                    yield StoredFile(entry["path"], entry["size"], modified_s)
        except (obstore.exceptions.BaseError, FileNotFoundError) as error:
            raise self._refused(folder, error) from error

    def put_new(self, path: str, data: bytes) -> bool:
        import obstore

        try:
            obstore.put(self.store, path, data, mode="create", use_multipart=False)
        except obstore.exceptions.AlreadyExistsError:
            # Also what a second try hears after a first whose answer was lost: whoever asked
            # must look at what lies there.
            return False
        except (obstore.exceptions.BaseError, FileNotFoundError) as error:
            raise self._refused(path, error) from error
        return True

    def put(self, path: str, data: bytes) -> None:
        import obstore

        try:
            obstore.put(self.store, path, data)
        except (obstore.exceptions.BaseError, FileNotFoundError) as error:  # no such bucket
            raise self._refused(path, error) from error

    @contextmanager
    def create(self, path: str) -> Iterator[BinaryIO]:
        # A data file is at most some hundred MB: held whole, an error leaves nothing behind.
        stream = io.BytesIO()
        yield stream
        self.put(path, stream.getvalue())

    def make_folder(self, path: str) -> None:
        pass

    def sync(self, path: str) -> None:
        pass

    def delete(self, path: str) -> None:
        import obstore

        try:
            obstore.delete(self.store, path)
        except FileNotFoundError:
            pass
        except obstore.exceptions.BaseError as error:
            raise self._refused(path, error) from error

    def _refused(self, path: str, error: Exception) -> StorageError:
        text = str(error).split("\n")[0]
        return StorageError(
            f"{self.url(path)}: {text}. The lake needs a bucket it may read and write. "
            "Check the credentials and --storage-option, then run the same command again."
        )
