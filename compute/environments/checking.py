"""Whether models can run in an environment, and what to do where they cannot."""

from __future__ import annotations

from collections.abc import Sequence

from compute.environments.engine_packages import (
    DISTRIBUTIONS,
    EXCLUDED_BY,
    EXTRAS,
    needed_packages,
)
from compute.environments.environment import HERE, Environment
from compute.environments.installation import install_command
from compute.environments.probe import Probe, probe
from compute.environments.processes import run_python
from compute.environments.worker_packages import (
    WORKER,
    import_name,
    unmet,
    worker_requirements,
)
from lake.errors import InvalidInputError, JobFailedError
from lake.version import __version__

IMPORT_TIMEOUT_S = 300.0  # a cold network file system takes a minute to load torch
_GPU_SEEN = (
    "import sys, torch\n"
    "n = torch.cuda.device_count()\n"
    "if n != {n}: sys.exit('torch sees ' + str(n) + ' GPUs')\n"
)


def require_usable(environment: Environment, engine: str) -> Probe:
    """Make sure that a job can run in an environment, as far as a look without imports tells.

    Raises
    ------
    InvalidInputError
        The interpreter does not run, atomlake is missing there or of another version, or a package
        of the engine is missing; the message says what to do.
    """
    found = probe(environment)
    problems = missing_parts(found, engine)
    if problems:
        raise InvalidInputError("\n".join(problems))
    return found


def check_environment(environment: Environment, engine: str | None = None) -> list[str]:
    """What is wrong with an environment, each with what to do; empty when nothing is.

    Everything is really imported, which takes seconds.

    Parameters
    ----------
    engine
        The engine that must work; by default each whose packages are there.
    """
    try:
        found = probe(environment)
    except (InvalidInputError, JobFailedError) as error:
        return [str(error)]
    problems = missing_parts(found, engine)
    if problems:
        return problems
    engines = found.engines if engine is None else [engine]
    problems = _import_faults(found, "compute.worker.evaluation", "obstore", "zarr")
    for name in engines:
        problems += _import_faults(found, *needed_packages(name), engine=name)
    if found.gpus and not problems:
        problems += _gpu_faults(found)
    return problems


def missing_parts(found: Probe, engine: str | None = None) -> list[str]:
    """What an environment lacks to run jobs, or those of an engine, each with what to do."""
    rival = EXCLUDED_BY.get(engine or "")
    if rival is not None and found.packages[rival] is None:
        rival = None
    command = install_command(found, None if rival else engine)
    problems = []
    if found.atomlake != __version__:
        has = "no atomlake" if found.atomlake is None else f"atomlake {found.atomlake}"
        problems.append(
            f"The {found.environment} has {has}. Jobs there need {__version__}, as here. "
            f"Install it: {command}"
        )
    missing = _missing_packages(found, engine)
    if found.atomlake is not None:  # else that command brings these too
        problems += _worker_faults(found, None if rival else engine, missing, command)
    if missing:
        advice = _advice(found.environment, str(engine), missing, command, rival)
        problems.append(
            f"The {found.environment} lacks {_names(missing)}. Models of the engine {engine} need "
            f"{', '.join(needed_packages(str(engine)))}. {advice}"
        )
    return problems


def _missing_packages(found: Probe, engine: str | None) -> list[str]:
    """Packages of an engine that are not there."""
    if engine is None:
        return []
    return [package for package in needed_packages(engine) if found.packages[package] is None]


def _worker_faults(
    found: Probe, engine: str | None, missing: Sequence[str], command: str
) -> list[str]:
    """What a worker lacks or has too old a release of, but for the `missing` packages."""
    parts = []
    for needed in unmet(worker_requirements(engine), found.packages):
        package = import_name(needed.name)
        if package not in missing:
            version = found.packages[package]
            parts.append(str(needed) if version is None else f"{needed} (it has {version})")
    if not parts:
        return []
    problem = (
        f"The {found.environment} lacks {', '.join(parts)}. Workers need {', '.join(WORKER)}. "
        f"Install what is missing: {command}"
    )
    return [problem]


def _advice(
    environment: Environment, engine: str, missing: list[str], command: str, rival: str | None
) -> str:
    """How to get the packages an engine lacks."""
    if rival is not None:
        return (
            f"It has {DISTRIBUTIONS[rival]}, and the two exclude each other. Name an environment "
            "that has them with --env NAME, or make one; 'atomlake env list' shows those there are."
        )
    advice = f"Install what is missing: {command}"
    if engine not in EXTRAS:
        advice = f"Install what is missing: {environment.python} -m pip install {_names(missing)}"
    if environment.name == HERE:
        advice += (
            "\nOr name an environment that has it, with --env NAME; 'atomlake env list' shows them."
        )
    return advice


def _names(packages: list[str]) -> str:
    return ", ".join(DISTRIBUTIONS[package] for package in packages)


def _import_faults(found: Probe, *modules: str, engine: str | None = None) -> list[str]:
    """Import modules there; what went wrong."""
    output = run_python(
        found.environment, ["-c", f"import {', '.join(modules)}"], timeout_s=IMPORT_TIMEOUT_S
    )
    if output.returncode == 0:
        return []
    problem = (
        f"The {found.environment} cannot import {', '.join(modules)}: {output.reason}. "
        f"Install them anew: {install_command(found, engine)}"
    )
    return [problem]


def _gpu_faults(found: Probe) -> list[str]:
    code = _GPU_SEEN.format(n=len(found.gpus))
    output = run_python(found.environment, ["-c", code], timeout_s=IMPORT_TIMEOUT_S)
    if output.returncode == 0:
        return []
    problem = (
        f"The {found.environment}: the driver shows {len(found.gpus)} GPUs, and {output.reason}. "
        "Models would run on the CPU. Install a torch that was built for this driver."
    )
    return [problem]
