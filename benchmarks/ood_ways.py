"""Ways to the variance over four members, each run in a process of its own.

``python -m benchmarks.ood_ways WAY PLACE`` prints a line of JSON: seconds, without imports, the
most memory of the process in bytes, and the sum over atoms of their variance, which must agree.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

KILOBYTE = 1024
BLOCK_ROWS = 65_536


def lake_way(place: str) -> float:
    """The latents scores of `atomlake query ood`, from a lake that is opened anew."""
    import lake
    from queries.ood.scoring import score

    result = score(lake.open(place), sets=["slabs"], groups=["bench"])
    return float((result.scores["latent_variance_trace"] * result.scores["n_atoms"]).sum())


def bare_way(place: str) -> float:
    """Only read the same bytes with zarr, array after array."""
    for array in _arrays(place):
        for start in range(0, array.shape[0], BLOCK_ROWS):
            array[start : start + BLOCK_ROWS]
    return 0.0


def numpy_way(place: str) -> float:
    """Four whole arrays, and numpy over them."""
    stacked = np.stack([array[:] for array in _arrays(place)])
    trace = stacked.var(axis=0).sum(axis=1)
    return float(trace.sum(dtype=np.float64))


def text_way(place: str) -> float:
    """Four files of extended XYZ in lock-step, with ASE."""
    from ase.io import iread

    files = sorted(Path(place).glob("*.extxyz"))
    total = 0.0
    for frames in zip(*(iread(file, ":") for file in files), strict=True):
        stacked = np.stack([frame.arrays["latent"] for frame in frames])
        total += float(stacked.var(axis=0).sum())
    return total


def _arrays(place: str) -> list:
    import zarr

    return [zarr.open_array(path, mode="r") for path in sorted(Path(place).glob("latents/*/last"))]


WAYS: dict[str, Callable[[str], float]] = {
    "lake": lake_way,
    "bare": bare_way,
    "numpy": numpy_way,
    "text": text_way,
}


def _peak() -> int:
    """The most memory so far, in bytes; ru_maxrss would count that of the parent before exec."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * KILOBYTE


def main(way: str, place: str) -> None:
    """Go a way, and print."""
    import duckdb  # noqa: F401 - imports do not count
    import pandas as pd  # noqa: F401 - pyarrow imports it where it is installed
    import polars as pl  # noqa: F401
    import zarr  # noqa: F401
    from ase.io import iread  # noqa: F401

    import queries.ood.scoring  # noqa: F401

    start = time.perf_counter()
    total = WAYS[way](place)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "peak": _peak(), "total": total}))


if __name__ == "__main__":
    main(*sys.argv[1:])
