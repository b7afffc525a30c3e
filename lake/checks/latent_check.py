"""Whether the arrays of latents are there, and hold what rows of ``embeddings`` point at."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lake.checks.file_check import checksum
from lake.checks.problem import Problem
from lake.errors import AtomlakeError
from lake.latents.latent_reader import open_array
from lake.latents.latent_writer import MANIFEST
from lake.reader import Reader
from lake.storage.storage import Storage

TABLE = "embeddings"


def check_latents(reader: Reader, *, deep: bool) -> list[Problem]:
    """Problems with the arrays and with their manifests.

    Parameters
    ----------
    deep
        Read every byte and compare checksums; else sizes only.
    """
    import polars as pl

    end = pl.col("offset") + pl.col("n_atoms")
    arrays = (
        reader.scan(TABLE)
        .group_by("store", "n_features", "dtype")
        .agg(pl.col("offset").min().alias("first"), end.max().alias("last"))
        .sort("store", "n_features", "dtype")
        .collect()
    )
    problems = [
        Problem(TABLE, row[0], what)
        for row in arrays.iter_rows()
        for what in _array_faults(reader.storage, *row)
    ]
    for folder in sorted({store.rpartition("/")[0] for store in arrays["store"]}):
        problems += _manifest_faults(reader.storage, folder, deep=deep)
    return problems


def _array_faults(
    storage: Storage, store: str, n_features: int, dtype: str, first: int, last: int
) -> Iterator[str]:
    try:
        array = open_array(storage, store)
    except AtomlakeError as error:
        yield str(error)
        return
    if array.shape[1:] != (n_features,) or array.dtype != dtype:
        yield (
            f"the array has {array.shape[1:]} features of {array.dtype}; rows say "
            f"{n_features} of {dtype}"
        )
    if first < 0 or last > array.shape[0]:
        yield f"rows point at {first} to {last}; the array has {array.shape[0]} rows"


def _manifest_faults(storage: Storage, folder: str, *, deep: bool) -> Iterator[Problem]:
    path = f"{folder}/{MANIFEST}"
    try:
        files = json.loads(storage.read(path))["files"].items()
        listed = {key: (each["size"], each["xxh3_128"]) for key, each in files}
    except (AtomlakeError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield Problem(TABLE, path, f"the list of the store's files cannot be read: {error}")
        return
    sizes = {file.path.removeprefix(f"{folder}/"): file.size for file in storage.list_files(folder)}
    for key in sorted(sizes.keys() - listed.keys() - {MANIFEST}):
        yield Problem(TABLE, f"{folder}/{key}", "the file is not in its store's manifest")
    for key, (size, written) in listed.items():
        place = f"{folder}/{key}"
        if key not in sizes:
            yield Problem(TABLE, place, "the file is missing. Restore it from a copy")
        elif sizes[key] != size:
            what = f"the file has {sizes[key]} bytes; {size} were written"
            yield Problem(TABLE, place, what)
        elif deep and checksum(storage, place) != written:
            yield Problem(TABLE, place, "the bytes are not those that were written")
