"""One layer of latents on its way into a Zarr array, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lake.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy.typing as npt

CHUNK_ROWS = 4096
SHARD_ROWS = 65_536
LARGEST_SHARD_BYTES = 256 * 2**20  # one per layer is held in memory
LARGEST_HALF = 65_504.0


class Layer:
    """One array of a store being written, and the rows of its next shard."""

    def __init__(self, group: Any, name: str, n_features: int, dtype: str) -> None:
        import numpy as np
        from zarr.codecs import BloscCodec

        kind = np.dtype(dtype)
        row_bytes = n_features * kind.itemsize
        shard_rows = min(SHARD_ROWS, LARGEST_SHARD_BYTES // row_bytes // CHUNK_ROWS * CHUNK_ROWS)
        self._pending = np.empty((max(shard_rows, CHUNK_ROWS), n_features), kind)
        self._name = name
        self._n_pending = 0
        self._n_written = 0
        self._array = group.create_array(
            name,
            shape=(0, n_features),
            dtype=kind,
            chunks=(CHUNK_ROWS, n_features),
            shards=self._pending.shape,
            # Latents hardly compress; lz4 costs little and zstd three times the time.
            compressors=BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle"),
            config={"write_empty_chunks": True},  # a shard that is not there was lost
        )

    @property
    def n_rows(self) -> int:
        """Rows taken in so far."""
        return self._n_written + self._n_pending

    def check(self, structures: str, latents: npt.NDArray[Any]) -> None:
        """Refuse latents of another width, and values float16 cannot hold."""
        where = f"{structures}, layer {self._name}"
        width = self._pending.shape[1]
        if latents.shape[1] != width:
            raise InvalidInputError(
                f"{where}: the latents have {latents.shape[1]} features, those before them "
                f"{width}. A layer has one width. Give the other model another job or layer."
            )
        if self._pending.dtype.itemsize == 2 and abs(latents).max() > LARGEST_HALF:
            raise InvalidInputError(
                f"{where}: a value is beyond {LARGEST_HALF:g}, the greatest float16 holds. "
                "Use float32."
            )

    def add(self, latents: npt.NDArray[Any]) -> Iterator[None]:
        """Take rows in; yields whenever a shard was encoded."""
        start = 0
        while start < len(latents):
            stop = min(len(latents), start + len(self._pending) - self._n_pending)
            end = self._n_pending + stop - start
            self._pending[self._n_pending : end] = latents[start:stop]
            self._n_pending, start = end, stop
            if self._n_pending == len(self._pending):
                self.flush()
                yield

    def flush(self) -> None:
        """Encode what is pending."""
        if self._n_pending:
            end = self.n_rows
            self._array.resize((end, self._pending.shape[1]))
            self._array[self._n_written : end] = self._pending[: self._n_pending]
            self._n_written, self._n_pending = end, 0
