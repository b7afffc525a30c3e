"""What is computed from the lake and written back to it: predictions, latents, regions.

Examples
--------
>>> import lake
>>> from compute import Request, run
>>> lk = lake.open("lakes/demo")  # doctest: +SKIP
>>> run(lk, Request("predict", ["cu"], ["mace-*"], latents="last"))  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compute.jobs.choices import Limits, Shard
    from compute.jobs.coverage import coverage
    from compute.jobs.report import JobReport
    from compute.jobs.request import Request
    from compute.jobs.running import run

__all__ = ["JobReport", "Limits", "Request", "Shard", "coverage", "run"]

# Loaded at first use: the worker and the command line import this package too.
_AT_FIRST_USE = {
    "JobReport": "compute.jobs.report",
    "Limits": "compute.jobs.choices",
    "Request": "compute.jobs.request",
    "Shard": "compute.jobs.choices",
    "coverage": "compute.jobs.coverage",
    "run": "compute.jobs.running",
}


def __getattr__(name: str) -> object:
    if name not in _AT_FIRST_USE:
        raise AttributeError(f"module 'compute' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_AT_FIRST_USE[name]), name)
