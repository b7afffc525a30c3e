"""Names given to versions of the lake."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from lake.errors import ConflictError, InvalidInputError, NotFoundError
from lake.log.data_files import DataFile, write_data_file
from lake.log.state import State, read_state
from lake.log.transaction import Changes
from lake.names import check_name
from lake.reader import Reader
from schemas import TABLES

if TYPE_CHECKING:
    import polars as pl

    from lake.lake import Lake

TAGS = TABLES["tags"]


def list_tags(reader: Reader) -> pl.DataFrame:
    """The names given to versions, in the order of the versions."""
    return reader.scan(TAGS.name).sort("version", "tag").collect()


def tagged_version(reader: Reader, tag: str) -> int:
    """The version a tag stands for.

    Raises
    ------
    NotFoundError
        There is no such tag.
    """
    versions = _versions(reader)
    if tag not in versions:
        raise NotFoundError.among("tag", tag, versions)
    return versions[tag]


def add_tag(lake: Lake, name: str, version: int | None = None, message: str | None = None) -> int:
    """Give a name to a version, the newest by default; that version.

    Raises
    ------
    InvalidInputError
        The name is a number, or has characters that are not safe in one.
    NotFoundError
        There is no such version, or vacuum has taken its files.
    ConflictError
        The name is given already, also where another writer was faster.
    """
    _check_tag(name)
    newest = lake.version
    number = newest if version is None else version
    if not 0 <= number <= newest:
        raise NotFoundError(
            f"{lake.storage.uri} has no version {number} to tag. It has versions 0 to {newest}; "
            "'atomlake log' lists them."
        )
    files: list[DataFile] = []  # written once, however often the commit is tried

    def plan(state: State) -> Changes:
        given = _versions(Reader(lake.storage, state))
        if name in given:
            raise ConflictError(
                f"The tag {name!r} stands for version {given[name]} already. A name is given once, "
                "so that what cites it stays true. Choose another."
            )
        _check_kept(Reader(lake.storage, read_state(lake.storage, number)))
        if not files:
            files.append(_write(lake, name, number, message))
        return Changes(added={TAGS.name: files}, still_valid=_same_tags)

    lake.commit("tag", plan, arguments={"tag": name, "version": number, "message": message})
    return number


def _check_kept(reader: Reader) -> None:
    """Refuse a version whose files vacuum has taken: a tag promises that it can be read."""
    for name in TABLES:
        files = reader.files(name)
        there = {file.path for file in reader.storage.list_files(name)} if files else set()
        for file in files:
            if f"{name}/{file.path}" not in there:
                raise NotFoundError(
                    f"{reader.storage.uri}: version {reader.state.version} cannot be read any "
                    f"more: {name}/{file.path} is gone. vacuum with --keep-versions tagged takes "
                    "what only versions without a tag need. Tag another version."
                )


def _check_tag(name: str) -> None:
    if name.isdigit():
        raise InvalidInputError(
            f"{name!r} cannot be a tag: a number means a version. Put a letter in front."
        )
    check_name("tag", name)


def _versions(reader: Reader) -> dict[str, int]:
    return dict(list_tags(reader).select("tag", "version").iter_rows())


def _write(lake: Lake, name: str, version: int, message: str | None) -> DataFile:
    row = {"tag": name, "version": version, "message": message, "tagged_at": datetime.now(UTC)}
    rows = pa.Table.from_pylist([row], schema=TAGS.file_arrow)
    return write_data_file(lake.storage, TAGS, {}, uuid.uuid4().hex, rows)


def _same_tags(old: State, new: State) -> bool:
    return old.table(TAGS.name) == new.table(TAGS.name)
