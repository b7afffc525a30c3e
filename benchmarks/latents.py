"""Latents through the lake, beside the same Zarr array read bare."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa

import lake
from benchmarks.contenders import Contender, Figures, compare, stopwatch
from benchmarks.disk import MEGABYTE
from benchmarks.result import SPEED_BYTES, Result
from benchmarks.setting import Setting
from lake.lake import Lake
from lake.latents.latent_reader import Pointer, open_latent_store
from lake.log.data_files import write_data_file
from lake.log.transaction import Changes
from schemas import TABLES

EMBEDDINGS = TABLES["embeddings"]
PARTITION = {"dataset": "bench", "model": "made-up"}
ATOMS = 100
FEATURES = 128
BATCH_ROWS = 65_536


def measure(setting: Setting) -> list[Result]:
    """Megabytes per second of 500,000 atoms with 128 features each."""
    n_structures = setting.size(5_000, 3)
    with setting.scratch() as folder:
        lk = lake.create(str(folder / "lake"))
        store = write_latents(lk, n_structures)
        return compare("latents", contenders(folder / "lake", store, n_structures), setting)


def contenders(place: Path, store: str, n_structures: int) -> list[Contender]:
    """Through the lake, and bare."""
    megabytes = n_structures * ATOMS * FEATURES * np.float32().itemsize / MEGABYTE

    def through_lake(_: Path) -> Figures:
        lk = lake.open(str(place))
        with stopwatch() as watch:
            atoms = sum(batch.num_rows for batch in lk.latents(**PARTITION, batch_rows=BATCH_ROWS))
        if atoms != n_structures * ATOMS:
            raise RuntimeError(f"{place}: {atoms} latents read, {n_structures * ATOMS} written.")
        return {SPEED_BYTES: megabytes / watch.seconds}

    def bare(_: Path) -> Figures:
        import zarr

        with stopwatch() as watch:
            array = zarr.open_array(place / store, mode="r")
            for start in range(0, array.shape[0], BATCH_ROWS):
                array[start : start + BATCH_ROWS]
        return {SPEED_BYTES: megabytes / watch.seconds}

    return [Contender("lk.latents", through_lake), Contender("zarr alone", bare)]


def write_latents(lk: Lake, n_structures: int) -> str:
    """Random latents and their pointers, as one commit; the array's path in the lake."""
    with open_latent_store(lk.storage, "bench") as writer:
        pointers = [
            writer.append(identity, latents) for identity, latents in random_latents(n_structures)
        ]
    rows = pa.Table.from_pylist(
        [pointer_row(pointer) for pointer in pointers], schema=EMBEDDINGS.arrow
    )
    file = write_data_file(lk.storage, EMBEDDINGS, PARTITION, uuid.uuid4().hex, rows)
    lk.commit("append", lambda _: Changes(added={EMBEDDINGS.name: [file]}))
    return pointers[0].store


def random_latents(n_structures: int) -> Iterator[tuple[int, np.ndarray]]:
    """A structure's id and its latents, of shape (n_atoms, n_features)."""
    random = np.random.default_rng(6)
    for identity in range(n_structures):
        yield identity, random.normal(size=(ATOMS, FEATURES)).astype(np.float32)


def pointer_row(pointer: Pointer) -> dict[str, object]:
    """A row of `embeddings`."""
    return {**PARTITION, "model_id": 1, "job_id": "bench", **asdict(pointer)}
