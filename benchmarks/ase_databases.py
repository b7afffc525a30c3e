"""ASE's databases as people fill and read them: SQLite, and LMDB from ase-db-backends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.contenders import NotInstalledError, stopwatch

SQLITE = "ASE SQLite"
LMDB = "ASE LMDB"


def convert(file: Path, database: Path) -> float:
    """Read a file with ASE and write every frame, in one transaction; seconds."""
    from ase.io import iread

    with stopwatch() as watch, connect(database) as open_database:
        for atoms in iread(file, format="extxyz"):
            open_database.write(atoms, key_value_pairs=atoms.info)
    return watch.seconds


def read_seconds(database: Path, ids: Iterable[int]) -> float:
    """Read structures by their ids, one by one; seconds."""
    opened = connect(database)
    with stopwatch() as watch:
        for identity in ids:
            opened.get_atoms(int(identity))
    return watch.seconds


def connect(database: Path) -> Any:
    """Open the database a path's ending stands for: ``.db`` or ``.aselmdb``."""
    if database.suffix == ".aselmdb":
        try:
            from ase_db_backends.aselmdb import LMDBDatabase
        except ImportError as error:
            raise NotInstalledError("ase-db-backends is not installed") from error
        return LMDBDatabase(database)
    from ase.db import connect as ase_connect

    return ase_connect(database)
