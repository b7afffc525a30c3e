"""Writing latents: whole shards into a Zarr store that never changes once it is closed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xxhash

from lake.errors import ConflictError, InvalidInputError, StorageError
from lake.latents.latent_layer import Layer
from lake.names import check_name
from lake.storage.storage import Storage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LATENTS = "latents"
MANIFEST = "manifest.json"
DTYPES = ("float32", "float16")


@dataclass(frozen=True, eq=False)
class Pointer:
    """Where the latents of one structure lie; the fields are columns of ``embeddings``.

    ``mean`` is the mean over the atoms, shape (n_features,).
    """

    structure_id: int
    n_atoms: int
    layer: str
    store: str
    offset: int
    n_features: int
    dtype: str
    mean: npt.NDArray[np.float64]

    def as_row(self) -> dict[str, Any]:
        """The fields by name, as columns of a row."""
        return dict(vars(self))  # dataclasses.asdict would copy every number of the mean


class LatentStoreWriter:
    """Latents of one compute job into one new Zarr store, an array per layer.

    The rows of ``embeddings`` are committed after `close`: until then nothing points at the store,
    and what a crash leaves of it is rubbish that vacuum finds. Its folder has a name of its own, so
    that a job may be started again.

    Parameters
    ----------
    job_id
        The compute job; the folder's name begins with it.
    dtype
        What the arrays hold: float32 or float16.

    Raises
    ------
    InvalidInputError
        The job or the type cannot be used.
    """

    def __init__(self, storage: Storage, job_id: str, *, dtype: str = "float32") -> None:
        from zarr import create_group
        from zarr.storage import MemoryStore

        if dtype not in DTYPES:
            raise InvalidInputError(
                f"Latents cannot be kept as {dtype!r}. Expected {' or '.join(DTYPES)}."
            )
        self.folder = f"{LATENTS}/{check_name('job', job_id)}.{uuid.uuid4().hex[:12]}"
        self.dtype = dtype
        self._storage = storage
        # Zarr encodes into memory; what it made goes through our storage, which makes it durable.
        self._encoded: dict[str, Any] = {}
        self._group = create_group(MemoryStore(self._encoded))
        self._layers: dict[str, Layer] = {}
        self._manifest: dict[str, dict[str, Any]] = {}
        self._closed = False

    def append(
        self, structure_id: int, latents: npt.NDArray[Any], *, layer: str = "last"
    ) -> Pointer:
        """Add the latents of one structure.

        Parameters
        ----------
        latents
            Shape (n_atoms, n_features); one width per layer.

        Raises
        ------
        InvalidInputError
            The shape is another than the layer has, or a value is beyond what float16 holds.
        """
        (pointer,) = self.extend([structure_id], [len(latents)], latents, layer=layer)
        return pointer

    def extend(
        self,
        structure_ids: Sequence[int],
        n_atoms: Sequence[int],
        latents: npt.NDArray[Any],
        *,
        layer: str = "last",
    ) -> list[Pointer]:
        """Add the latents of several structures, which is faster than one by one.

        Parameters
        ----------
        n_atoms
            Atoms of each structure, at least one.
        latents
            Those of all atoms, one structure after the other. Shape (sum of n_atoms, n_features).

        Raises
        ------
        InvalidInputError
            The shape is another than the layer has, or a value is beyond what float16 holds.
        """
        import numpy as np

        if self._closed:
            raise ConflictError(f"{self.folder} is closed, and a closed store never changes.")
        where = f"Structure {structure_ids[0]}" + (" and others" if len(structure_ids) > 1 else "")
        stops = np.cumsum(n_atoms, dtype=np.int64)
        if latents.ndim != 2 or not latents.size or min(n_atoms) < 1 or stops[-1] != len(latents):
            raise InvalidInputError(
                f"{where}, layer {layer}: the latents have shape {latents.shape}. "
                "Expected (n_atoms, n_features), neither of them 0."
            )
        if layer not in self._layers:
            check_name("layer", layer)
            self._layers[layer] = Layer(self._group, layer, latents.shape[1], self.dtype)
        array = self._layers[layer]
        first = array.n_rows
        array.check(where, latents)
        for _ in array.add(latents):
            self._write_shards()
        starts = stops - np.asarray(n_atoms, np.int64)
        means = np.add.reduceat(latents, starts, axis=0, dtype="float64")
        means /= np.asarray(n_atoms)[:, np.newaxis]
        store, width = f"{self.folder}/{layer}", latents.shape[1]
        return [
            Pointer(identity, n, layer, store, first + start, width, self.dtype, mean)
            for identity, n, start, mean in zip(
                structure_ids, n_atoms, starts.tolist(), means, strict=True
            )
        ]

    def close(self) -> None:
        """Write what is left, then the list of all files with their checksums."""
        for array in self._layers.values():
            array.flush()
            self._write_shards()
        for key in list(self._encoded):
            self._write(key)
        manifest = json.dumps({"files": self._manifest}, indent=1)
        self._storage.put(f"{self.folder}/{MANIFEST}", manifest.encode())
        self._closed = True

    def abandon(self) -> None:
        """Take away what was written."""
        self._closed = True
        for key in self._manifest:
            with suppress(StorageError):  # vacuum takes what cannot be taken now
                self._storage.delete(f"{self.folder}/{key}")

    def _write_shards(self) -> None:
        for key in [key for key in self._encoded if not key.endswith("zarr.json")]:
            self._write(key)

    def _write(self, key: str) -> None:
        data = self._encoded.pop(key).to_bytes()
        checksum = xxhash.xxh3_128(data).hexdigest()
        self._manifest[key] = {"size": len(data), "xxh3_128": checksum}
        self._storage.put(f"{self.folder}/{key}", data)


@contextmanager
def open_latent_store(
    storage: Storage, job_id: str, *, dtype: str = "float32"
) -> Iterator[LatentStoreWriter]:
    """A writer that is closed when the block ends well, and leaves nothing when it does not."""
    writer = LatentStoreWriter(storage, job_id, dtype=dtype)
    try:
        yield writer
        writer.close()
    except BaseException:
        writer.abandon()
        raise
