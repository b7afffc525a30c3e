"""A lake in a folder of a POSIX file system, shared ones included."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lake.errors import InvalidInputError, NotFoundError, StorageError
from lake.storage.storage import StoredFile


class LocalStorage:
    """Files below a folder. Durable means fsync of the file, then of the folder that names it."""

    is_local = True

    def __init__(self, root: str) -> None:
        path = Path(root).expanduser().absolute()
        unusable = sorted(set("=*?[]{}") & set(str(path)))
        if unusable:
            # Folders called key=value would be read as partitions, the others as patterns.
            raise InvalidInputError(
                f"{path}: the path of a lake cannot hold {' '.join(unusable)}. Query engines read "
                "them as partitions or patterns. Choose another folder."
            )
        self.root = path
        self.uri = str(path)
        self.options: Mapping[str, str] = {}

    def url(self, path: str) -> str:
        return str(self.root / path)

    def exists(self, path: str) -> bool:
        try:
            return (self.root / path).is_file()
        except OSError as error:
            raise _refused(self.root / path, error) from error

    def read(self, path: str) -> bytes:
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"{self.root / path} does not exist.") from None
        except OSError as error:
            raise _refused(self.root / path, error) from error

    def open_input(self, path: str) -> BinaryIO:
        try:
            return (self.root / path).open("rb")
        except FileNotFoundError:
            raise NotFoundError(f"{self.root / path} does not exist.") from None
        except OSError as error:
            raise _refused(self.root / path, error) from error

    def list_files(self, folder: str) -> Iterator[StoredFile]:
        pending = [self.root / folder]
        while pending:
            here = pending.pop()
            try:
                entries = list(os.scandir(here))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise _refused(here, error) from error
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                    continue
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    continue  # a temporary file another writer has just renamed
                except OSError as error:
                    raise _refused(Path(entry.path), error) from error
                path = Path(entry.path).relative_to(self.root).as_posix()
                yield StoredFile(path, status.st_size, status.st_mtime)

    def put_new(self, path: str, data: bytes) -> bool:
        target = self.root / path
        temporary = self._write_temporary(target, data)
        try:
            # A hard link fails when the name is taken, on NFS too; a rename would overwrite.
            os.link(temporary, target)
        except FileExistsError:
            return False
        except OSError as error:
            raise _refused(target, error) from error
        finally:
            _discard(temporary)
        _sync_folder(target.parent)
        return True

    def put(self, path: str, data: bytes) -> None:
        target = self.root / path
        temporary = self._write_temporary(target, data)
        try:
            temporary.replace(target)
        except OSError as error:
            _discard(temporary)
            raise _refused(target, error) from error
        _sync_folder(target.parent)

    @contextmanager
    def create(self, path: str) -> Iterator[BinaryIO]:
        target = self.root / path
        try:
            _make_folder(target.parent)
            stream = target.open("xb")
        except OSError as error:  # also where there is a file: it is not ours to take away
            raise _refused(target, error) from error
        try:
            with stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            _sync_folder(target.parent)
        except OSError as error:
            _discard(target)
            raise _refused(target, error) from error
        except BaseException:
            _discard(target)
            raise

    def make_folder(self, path: str) -> None:
        try:
            _make_folder(self.root / path)
        except OSError as error:
            raise _refused(self.root / path, error) from error

    def sync(self, path: str) -> None:
        target = self.root / path
        try:
            with target.open("rb") as stream:
                os.fsync(stream.fileno())
        except OSError as error:
            raise _refused(target, error) from error
        _sync_folder(target.parent)

    def delete(self, path: str) -> None:
        try:
            (self.root / path).unlink(missing_ok=True)
        except OSError as error:
            raise _refused(self.root / path, error) from error

    def _write_temporary(self, target: Path, data: bytes) -> Path:
        temporary = target.parent / f".{target.name}.{uuid.uuid4().hex}.tmp"
        try:
            _make_folder(target.parent)
            with temporary.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            _discard(temporary)
            raise _refused(target, error) from error
        return temporary


def _discard(path: Path) -> None:
    """Take a file away while an error is on its way, which another must not hide."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Create a folder and its parents, each durable in the one above."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        _sync_folder(new.parent)


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _refused(folder, error) from error


def _refused(path: Path, error: OSError) -> StorageError:
    if isinstance(error, StorageError):
        return error
    return StorageError(
        f"{path}: {error.strerror or error}. The lake needs a place one may read, and write to "
        "where it is changed, with room. Mend that, and run the same command again."
    )
