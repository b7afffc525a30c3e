"""The machine a figure was taken on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

DISTRIBUTIONS = ("atomlake", "ase", "deltalake", "duckdb", "polars", "pyarrow", "zarr")


def describe_machine() -> dict[str, object]:
    """Processor, cores, load, Python and the versions that matter."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_at_start": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in DISTRIBUTIONS},
    }


def _processor() -> str:
    with Path("/proc/cpuinfo").open() as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
