"""Reading latents: Arrow batches straight from the arrays the rows of ``embeddings`` point at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from lake.errors import CorruptLakeError, InvalidInputError, NotFoundError
from lake.latents.latent_writer import LATENTS, LatentStoreWriter, Pointer, open_latent_store
from lake.reader import Reader
from lake.storage.storage import Storage

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

__all__ = ["LATENTS", "LatentStoreWriter", "Pointer", "open_latent_store", "read_latents"]


def read_latents(
    reader: Reader, *, dataset: str, model: str, layer: str = "last", batch_rows: int = 65_536
) -> Iterator[pa.RecordBatch]:
    """The latents of a model on a dataset, one row per atom.

    Columns: ``structure_id`` int64, ``atom`` int64 (index in the structure, from 0) and ``latent``,
    fixed_size_list<float32>[n_features]. Arrays of float16 come out as float32 too, because DuckDB
    has no half floats. Atoms of a structure follow each other, but a batch may end between them.

    Parameters
    ----------
    batch_rows
        Most rows of a batch. Fastest at a multiple of 65,536, the rows of a shard; memory is a few
        times batch_rows · n_features · 4 bytes.

    Raises
    ------
    NotFoundError
        There are no such latents.
    InvalidInputError
        They do not belong together: more than one definition, width or model.
    """
    if batch_rows < 1:
        raise InvalidInputError(f"batch_rows is {batch_rows}. Expected at least 1.")
    pointers = _pointers(reader, dataset, model).filter(layer=layer)
    kinds = pointers.select("model_id", "definition", "n_features").unique().collect()
    if kinds.is_empty():
        raise _no_latents(reader, dataset, model, layer)
    if len(kinds) > 1:
        raise InvalidInputError(
            f"The latents of {model} on {dataset}, layer {layer}, are of {len(kinds)} kinds:\n"
            + "\n".join(_kind(row) for row in kinds.sort(kinds.columns).iter_rows(named=True))
            + "\nOnly latents of one kind can be compared. Drop one, and compute it again."
        )
    stores = pointers.select("store").unique().sort("store").collect().to_series().to_list()
    return _batches(reader.storage, pointers, stores, batch_rows)


def _pointers(reader: Reader, dataset: str, model: str) -> pl.LazyFrame:
    return reader.scan("embeddings", dataset=dataset, model=model)


def _no_latents(reader: Reader, dataset: str, model: str, layer: str) -> NotFoundError:
    there = reader.scan("embeddings").select("dataset", "model", "layer").unique().sort("*")
    known = [" / ".join(row) for row in there.collect().iter_rows()]
    return NotFoundError.among("dataset / model / layer", f"{dataset} / {model} / {layer}", known)


def _kind(row: dict[str, Any]) -> str:
    return (
        f"  model_id {row['model_id']}, {row['n_features']} features, "
        f"defined by {row['definition'] or 'nothing'}"
    )


def _batches(
    storage: Storage, pointers: pl.LazyFrame, stores: list[str], batch_rows: int
) -> Iterator[pa.RecordBatch]:
    for store in stores:  # the pointers of one compute job at a time
        rows = (
            pointers.filter(store=store)
            .select("offset", "n_atoms", "structure_id")
            .sort("offset")
            .collect()
        )
        offsets, n_atoms, identities = (rows[name].to_numpy() for name in rows.columns)
        array = open_array(storage, store)
        ends = offsets + n_atoms
        if ends[-1] > array.shape[0]:
            raise CorruptLakeError(
                f"{storage.url(store)} has {array.shape[0]} rows; structure {identities[-1]} lies "
                f"at {offsets[-1]} to {ends[-1]}. Run 'atomlake check'."
            )
        breaks = np.flatnonzero(offsets[1:] != ends[:-1]) + 1
        for run in np.split(np.arange(len(rows)), breaks):
            starts = offsets[run]
            for first, last in _blocks(int(starts[0]), int(ends[run[-1]]), batch_rows):
                yield _batch(array, first, last, starts, identities[run])


def _blocks(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut rows at multiples of `size`, so that a shard is read once."""
    while start < stop:
        end = min((start // size + 1) * size, stop)
        yield start, end
        start = end


def _batch(
    array: Any, first: int, last: int, starts: npt.NDArray[Any], identities: npt.NDArray[Any]
) -> pa.RecordBatch:
    latents = np.ascontiguousarray(array[first:last], dtype=np.float32)
    rows = np.arange(first, last)
    which = np.searchsorted(starts, rows, side="right") - 1
    flat = pa.array(latents.reshape(-1))
    return pa.record_batch(
        {
            "structure_id": pa.array(identities[which], pa.int64()),
            "atom": pa.array(rows - starts[which], pa.int64()),
            "latent": pa.FixedSizeListArray.from_arrays(flat, latents.shape[1]),
        }
    )


def open_array(storage: Storage, path: str) -> Any:
    """The Zarr array at a path of the lake, for reading.

    Raises
    ------
    CorruptLakeError
        There is none.
    """
    import zarr
    from zarr.storage import LocalStore, ObjectStore

    if storage.is_local:
        store: Any = LocalStore(storage.url(path), read_only=True)
    else:
        from obstore.store import from_url

        from lake.storage.object_storage import obstore_options

        remote = from_url(storage.url(path), **obstore_options(storage.options))
        store = ObjectStore(remote, read_only=True)
    try:
        return zarr.open_array(store, mode="r")
    except FileNotFoundError as error:
        raise CorruptLakeError(
            f"{storage.url(path)} is missing, and rows of embeddings point at it. "
            "Restore the folder from a copy, or drop the rows and compute them again."
        ) from error
