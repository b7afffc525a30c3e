"""A lake's bytes in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.errors import InvalidInputError, NotFoundError, StorageError
from lake.storage.local_storage import LocalStorage


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(str(tmp_path / "lake"))


def paths(storage: LocalStorage) -> list[str]:
    return sorted(file.path for file in storage.list_files(""))


def test_put_new_is_refused_where_a_file_is(storage: LocalStorage) -> None:
    assert storage.put_new("a/b", b"first")
    assert not storage.put_new("a/b", b"second")
    assert storage.read("a/b") == b"first"
    assert paths(storage) == ["a/b"]


def test_put_replaces(storage: LocalStorage) -> None:
    storage.put("a", b"first")
    storage.put("a", b"second")
    assert storage.read("a") == b"second"
    assert paths(storage) == ["a"]


def test_a_file_that_could_not_be_finished_is_taken_away(storage: LocalStorage) -> None:
    def write_half() -> None:
        with storage.create("a") as stream:
            stream.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert paths(storage) == []


def test_create_leaves_a_file_that_is_there_alone(storage: LocalStorage) -> None:
    storage.put("a", b"theirs")
    with pytest.raises(StorageError, match="exists"), storage.create("a"):
        pytest.fail("it was opened")
    assert storage.read("a") == b"theirs"


def test_what_is_not_there(storage: LocalStorage) -> None:
    assert not storage.exists("a")
    assert list(storage.list_files("a")) == []
    storage.delete("a")
    for read in (storage.read, storage.open_input):
        with pytest.raises(NotFoundError):
            read("a")
    with pytest.raises(StorageError):
        storage.sync("a")


@pytest.mark.parametrize("name", ["a=b", "a*", "{x}"])
def test_folders_that_query_engines_misread_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="patterns"):
        LocalStorage(str(tmp_path / name))


def test_what_the_file_system_refuses_is_a_storage_error(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    storage = LocalStorage(str(loop))
    with pytest.raises(StorageError, match="loop"):
        list(storage.list_files(""))
    storage = LocalStorage(str(tmp_path))
    with pytest.raises(StorageError, match="loop"):
        list(storage.list_files(""))
    with pytest.raises(StorageError, match="File name too long"):
        storage.exists("x" * 300)
