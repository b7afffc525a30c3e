"""Files in the folder of a lake that no version needs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lake.latents.latent_writer import LATENTS
from lake.log.delta_log import read_entry
from lake.log.state import COMMITS, State
from lake.storage.storage import Storage, StoredFile
from schemas import TABLES

# Of our own writes, of delta-rs, and of the object_store library below it.
_TEMPORARY = re.compile(r".*(\.tmp|#\d+)")

READERS = 8

Named = Mapping[str, set[str]]


@dataclass(frozen=True)
class Leftover:
    """A file nobody needs. ``modified_s`` is its age's beginning, in s since 1970."""

    path: str
    size: int
    modified_s: float
    reason: str


def named_files(storage: Storage, state: State) -> dict[str, set[str]]:
    """Data files that belong to any version up to `state`, per table, relative to its folder.

    What an entry names that never became part of the lake is not among them.
    """
    entries: dict[str, list[int]] = defaultdict(list)
    named: dict[str, set[str]] = {name: set() for name in TABLES}
    for version in range(1, state.version + 1):
        entry = read_entry(storage, COMMITS, version)
        named[COMMITS].update(file.path for file in entry.added)
        for name, own in entry.note.get("entries", {}).items():
            entries[name].append(own)
    for name in TABLES:
        for version in entries[name]:
            named[name].update(file.path for file in read_entry(storage, name, version).added)
    return named


def find_leftovers(storage: Storage, find_needed: Callable[[], Named]) -> Iterator[Leftover]:
    """Data files, unfinished writes and latents that are not needed.

    Parameters
    ----------
    find_needed
        Gives the data files that are, per table. Asked once all files are listed, so that what is
        committed while they are counts.
    """
    listed = {name: list(storage.list_files(name)) for name in (*TABLES, LATENTS)}
    needed = find_needed()
    for name in TABLES:
        for file in listed[name]:
            path = file.path.removeprefix(f"{name}/")
            if _TEMPORARY.fullmatch(path):
                yield _leftover(file, "a write that did not finish")
            elif not path.startswith("_delta_log/") and path not in needed[name]:
                yield _leftover(file, "no version needs it")
    yield from _unpointed_stores(storage, listed[LATENTS], needed["embeddings"])


def _unpointed_stores(
    storage: Storage, files: Iterable[StoredFile], embeddings: set[str]
) -> Iterator[Leftover]:
    stores: dict[str, list[StoredFile]] = defaultdict(list)
    for file in files:
        stores["/".join(file.path.split("/")[:2])].append(file)
    if not stores:
        return
    # An earlier vacuum may have forgotten versions, and files with them.
    there = {file.path.removeprefix("embeddings/") for file in storage.list_files("embeddings")}
    pointed = stores_pointed_at(storage, embeddings & there)
    for folder in sorted(stores.keys() - pointed):
        newest_s = max(file.modified_s for file in stores[folder])  # a job may still write to it
        for file in stores[folder]:
            yield Leftover(file.path, file.size, newest_s, "no row points at its latents")


def stores_pointed_at(storage: Storage, embeddings: Iterable[str]) -> set[str]:
    """Folders of the latents that rows in some data files of ``embeddings`` point at."""
    paths = sorted(embeddings)
    # Workers of compute come here at every commit, so it is not done with Polars or DuckDB.
    with ThreadPoolExecutor(READERS) as pool:
        stores = set().union(*pool.map(lambda path: _stores_in(storage, path), paths))
    return {store.rpartition("/")[0] for store in stores}


def _stores_in(storage: Storage, path: str) -> set[str]:
    from lake.storage.arrow_input import open_parquet_input

    with open_parquet_input(storage, f"embeddings/{path}") as parquet:
        column = parquet.read(["store"], use_threads=storage.is_local)["store"]
    return set(column.unique().to_pylist())


def _leftover(file: StoredFile, reason: str) -> Leftover:
    return Leftover(file.path, file.size, file.modified_s, reason)
