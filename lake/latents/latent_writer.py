"""Writing latents: whole shards into a Zarr store that never changes once it is closed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xxhash

from lake.errors import ConflictError, InvalidInputError, StorageError
from lake.latents.latent_layer import Layer
from lake.names import check_name
from lake.storage.storage import Storage

if TYPE_CHECKING:
    import numpy.typing as npt

LATENTS = "latents"
MANIFEST = "manifest.json"
DTYPES = ("float32", "float16")


@dataclass(frozen=True)
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
    mean: list[float]

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
        if self._closed:
            raise ConflictError(f"{self.folder} is closed, and a closed store never changes.")
        if latents.ndim != 2 or not latents.size:
            raise InvalidInputError(
                f"Structure {structure_id}, layer {layer}: the latents have shape {latents.shape}. "
                "Expected (n_atoms, n_features), neither of them 0."
            )
        if layer not in self._layers:
            check_name("layer", layer)
            self._layers[layer] = Layer(self._group, layer, latents.shape[1], self.dtype)
        array = self._layers[layer]
        offset = array.n_rows
        array.check(structure_id, latents)
        for _ in array.add(latents):
            self._write_shards()
        return Pointer(
            structure_id,
            len(latents),
            layer,
            f"{self.folder}/{layer}",
            offset,
            latents.shape[1],
            self.dtype,
            latents.mean(axis=0, dtype="float64").tolist(),
        )

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
