"""Making a lake, and opening one."""

from __future__ import annotations

from collections.abc import Mapping

from lake.lake import Lake
from lake.log.state import newest_state
from lake.log.table_columns import create_table
from lake.storage.storage import open_storage
from schemas import TABLES


def create_lake(uri: str, storage_options: Mapping[str, str] | None = None) -> Lake:
    """Make a lake; one that is there already is opened as it is.

    Parameters
    ----------
    uri
        A folder, which may exist, or the URL of a place in an object store.
    storage_options
        What the object store needs: endpoint, region, keys.
    """
    storage = open_storage(uri, storage_options)
    for table in TABLES.values():  # commits is last: with it the lake is there
        create_table(storage, table)
    return Lake(storage)


def open_lake(
    uri: str,
    storage_options: Mapping[str, str] | None = None,
    *,
    version: int | str | None = None,
) -> Lake:
    """Open a lake that is there, at its newest version or at a past one.

    Raises
    ------
    NotFoundError
        There is no lake, or no such version.
    """
    lake = Lake(open_storage(uri, storage_options))
    newest_state(lake.storage)
    return lake if version is None else lake.at(version)
