"""Put before all else in a Python, this lets it import what a worker may need, and nothing more.

What may be imported: the standard library, atomlake, the packages of ``WORKER``, and what these
depend on. It is meant for ``sitecustomize.py``, so it imports nothing but the standard library.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from types import ModuleType


class OnlyWorkers:
    """Refuses to import modules of distributions that are not among `allowed`."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = closure(allowed) | {"atomlake"}
        self._distributions = packages_distributions()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top = name.partition(".")[0]
        brought_by = {normal(each) for each in self._distributions.get(top, ())}
        if brought_by and not brought_by & self._allowed:
            raise ModuleNotFoundError(f"a worker may not import {name}", name=name)
        return None


def closure(names: Iterable[str]) -> set[str]:
    """Distributions, and those they depend on."""
    found: set[str] = set()
    left = [normal(name) for name in names]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        try:
            lines = requires(name) or []
        except PackageNotFoundError:  # for another system
            continue
        left += [normal(re.split(r"[^\w.-]", line)[0]) for line in lines if "extra ==" not in line]
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def install(*allowed: str) -> None:
    sys.meta_path.insert(0, OnlyWorkers(allowed))
