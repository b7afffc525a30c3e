"""Whether models can run in an environment, and what to do where they cannot."""

from __future__ import annotations

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
    problems = _import_faults(found, "lake.lake", "compute.worker")
    for name in engines:
        problems += _import_faults(found, *needed_packages(name), engine=name)
    if found.gpus and not problems:
        problems += _gpu_faults(found)
    return problems


def missing_parts(found: Probe, engine: str | None = None) -> list[str]:
    """What an environment lacks to run jobs, or those of an engine, each with what to do."""
    environment = found.environment
    rival = EXCLUDED_BY.get(engine or "")
    if rival is not None and found.packages[rival] is None:
        rival = None
    command = install_command(found, None if rival else engine)
    problems = []
    if found.atomlake is None:
        problems.append(
            f"The {environment} has no atomlake. Jobs there need {__version__}, as here. "
            f"Install it: {command}"
        )
    elif found.atomlake != __version__:
        problems.append(
            f"The {environment} has atomlake {found.atomlake}. Jobs there need {__version__}, as "
            f"here. Install it: {command}"
        )
    if engine is not None:
        missing = [p for p in needed_packages(engine) if found.packages[p] is None]
        if missing:
            advice = _advice(environment, engine, missing, command, rival)
            problems.append(
                f"The {environment} lacks {_names(missing)}. Models of the engine {engine} need "
                f"{', '.join(needed_packages(engine))}. {advice}"
            )
    return problems


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
