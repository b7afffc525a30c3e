"""How much atomlake adds to the environment of a model: what workers need, beside all of it."""

from __future__ import annotations

import subprocess
import sysconfig
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.contenders import NotInstalledError
from benchmarks.disk import MEGABYTE
from benchmarks.predicting import python
from benchmarks.result import SIZE, Goal, Result
from benchmarks.setting import Setting
from compute.environments.engine_packages import DISTRIBUTIONS, needed_packages
from compute.environments.worker_packages import WORKER

QUESTION = "worker-size"
MOST = 260.0  # MB


def measure(_: Setting) -> list[Result]:
    """Megabytes of packages, less those that an engine brings anyway."""
    results = []
    for engine in ("mace", "allegro"):
        try:
            there = Packages(site_packages(python(engine)))
        except NotInstalledError as error:
            results.append(Result(QUESTION, engine, None, note=str(error)))
            continue
        here = Packages(Path(sysconfig.get_path("purelib")))
        brought = there.closure(DISTRIBUTIONS[package] for package in needed_packages(engine))
        worker = there.megabytes(there.closure(WORKER) - brought)
        whole = here.megabytes(here.closure(["atomlake"]) - brought)
        goal = Goal(most=MOST)
        results += [
            Result(QUESTION, f"{engine}: what workers need", SIZE, (worker,), worker, goal),
            Result(QUESTION, f"{engine}: all atomlake depends on", SIZE, (whole,), worker),
            Result(QUESTION, f"{engine}: the engine", SIZE, (there.megabytes(brought),)),
        ]
    return results


def site_packages(interpreter: Path) -> Path:
    """Where the packages of an interpreter lie."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([interpreter, "-c", code], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


class Packages:
    """The distributions in a folder of packages, by their names."""

    def __init__(self, folder: Path) -> None:
        found = distributions(path=[str(folder)])
        self._found: dict[str, Distribution] = {}
        for each in found:
            self._found.setdefault(canonicalize_name(each.name), each)

    def closure(self, names: Iterable[str]) -> set[str]:
        """These, and all that they depend on and that is there."""
        left = {str(canonicalize_name(name)) for name in names}
        closed: set[str] = set()
        while left:
            name = left.pop()
            if name in closed or name not in self._found:
                continue
            closed.add(name)
            for requirement in map(Requirement, self._found[name].requires or ()):
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                    left.add(canonicalize_name(requirement.name))
        return closed

    def megabytes(self, names: Iterable[str]) -> float:
        """Size of their files, compiled ones among them."""
        files = {
            Path(str(file.locate())) for name in names for file in self._found[name].files or ()
        }
        return sum(file.stat().st_size for file in files if file.is_file()) / MEGABYTE
