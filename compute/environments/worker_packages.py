"""What an environment needs to run workers: a part of what atomlake depends on.

pip adds to what a package depends on, and leaves nothing out. So this part is installed first, and
atomlake after it without its dependencies. Their floors stand in ``pyproject.toml`` alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

from compute.environments.engine_packages import DISTRIBUTIONS, EXTRAS, needed_packages

# All is imported under the name it is installed by. click is for the command line, which then says
# what it lacks; a test starts a worker with nothing else.
WORKER = ("ase", "click", "numpy", "obstore", "orjson", "pyarrow", "xxhash", "zarr")
UNKNOWN = "unknown"  # the version of a package that another distribution brings


def worker_requirements(engine: str | None = None) -> list[Requirement]:
    """What to install for workers, and for an engine; not torch, which each machine has its own of.

    Raises
    ------
    NotFoundError
        There is no such engine.
    """
    if engine is not None:
        needed_packages(engine)
    wanted = []
    for requirement in map(Requirement, _declared()):
        if requirement.marker is None:
            is_wanted = requirement.name in WORKER
        else:
            is_wanted = requirement.marker.evaluate({"extra": EXTRAS.get(engine or "", "")})
            requirement.marker = None
        if is_wanted:
            wanted.append(requirement)
    return wanted


def unmet(
    requirements: Iterable[Requirement], packages: Mapping[str, str | None]
) -> list[Requirement]:
    """Those that an environment lacks, or has too old a release of.

    Parameters
    ----------
    packages
        Version of each package, by the name it is imported by; None where it is not there.
    """
    return [each for each in requirements if not _is_met(each, packages[import_name(each.name)])]


def import_name(distribution: str) -> str:
    """The name a distribution is imported by."""
    names = {name: package for package, name in DISTRIBUTIONS.items()}
    return names.get(distribution, distribution)


def _is_met(requirement: Requirement, version: str | None) -> bool:
    if version is None or version == UNKNOWN:
        return version is not None
    return requirement.specifier.contains(version, prereleases=True)


def _declared() -> list[str]:
    """What atomlake says it depends on, in the format of pip."""
    try:
        return requires("atomlake") or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        file = Path(__file__).parent.parent.parent / "pyproject.toml"
        project = tomllib.loads(file.read_text("utf-8"))["project"]
        extras = project["optional-dependencies"].items()
        return [
            *project["dependencies"],
            *(f'{each}; extra == "{extra}"' for extra, needed in extras for each in needed),
        ]
