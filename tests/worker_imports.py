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
from typing import Any


class OnlyWorkers:
    """A finder that does not find modules of distributions that are not among `allowed`."""

    def __init__(self, finder: Any, allowed: Iterable[str]) -> None:
        self._finder = finder
        self._allowed = closure(allowed) | {"atomlake"}
        self._distributions = packages_distributions()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)  # what importlib.metadata asks

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        brought_by = map(normal, self._distributions.get(name.partition(".")[0], ()))
        if not self._allowed.issuperset(brought_by):
            return None
        spec: ModuleSpec | None = self._finder.find_spec(name, path, target)
        return spec


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
    sys.meta_path[:] = [OnlyWorkers(finder, allowed) for finder in sys.meta_path]
