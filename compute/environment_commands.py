"""`atomlake env`: the Python environments of this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from lake.commands.printing import print_done, print_json, print_records
from lake.commands.target import Target, pass_target
from lake.errors import InvalidInputError, JobFailedError

if TYPE_CHECKING:
    from compute.environments.environment import Environment
    from compute.environments.probe import Probe

MOST_AT_ONCE = 4


@click.group()
def group() -> None:
    """Name the Python environments that models run in.

    An environment is an interpreter of this machine, of a venv or conda environment. The packages
    of some engines exclude each other, so each gets an environment of its own, with the same
    version of atomlake in all. Names are kept on this machine, not in the lake.
    """


@group.command()
@click.argument("name")
@click.option(
    "--python",
    required=True,
    metavar="PATH",
    help="An interpreter, or the folder of a venv or conda environment.",
)
@pass_target
def add(target: Target, name: str, python: str) -> None:
    """Give the interpreter PATH the name NAME, and say what is in it.

    \b
    Example:
      atomlake env add mace --python ~/envs/mace
    """
    from compute.environments.checking import missing_parts
    from compute.environments.registry import add_environment

    found = add_environment(name, python)
    problems = missing_parts(found)
    print_done(target, _sentence(found), **_record(found), problems=problems)
    for problem in problems:
        click.echo(problem, err=True)


@group.command(name="list")
@pass_target
def list_(target: Target) -> None:
    """List the environments, with the engines whose packages are there.

    The environment here is the one that runs atomlake. Nothing is imported; env check does that.

    \b
    Example:
      atomlake env list
    """
    from compute.environments.environment import here
    from compute.environments.registry import list_environments

    environments = [here(), *list_environments()]
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        records = list(pool.map(_probed, environments))
    if target.as_json:
        print_json(records)
    else:
        print_records(target, [_as_row(record) for record in records])


@group.command()
@click.argument("name", required=False)
@pass_target
def check(target: Target, name: str | None) -> None:
    """Import in every environment, or in NAME, what models need; exit code 1 if something fails.

    \b
    Example:
      atomlake env check
    """
    from compute.environments.checking import check_environment
    from compute.environments.environment import here
    from compute.environments.registry import find_environment, list_environments

    chosen = [here(), *list_environments()] if name is None else [find_environment(name)]
    problems = {environment.name: check_environment(environment) for environment in chosen}
    if target.as_json:
        print_json(problems)
    else:
        click.echo("\n".join(_verdict(each, problems[each.name]) for each in chosen))
    if any(problems.values()):
        raise SystemExit(1)


@group.command()
@click.argument("engine", required=False)
@pass_target
def requirements(target: Target, engine: str | None) -> None:
    """Print what an environment needs to run workers, and models of ENGINE, for pip install -r.

    A worker needs a part of what atomlake depends on. Install these packages first, and atomlake
    after them with pip install --no-deps. torch is left out: each machine needs its own, first.

    \b
    Example:
      atomlake env requirements mace > mace.txt
    """
    from compute.environments.worker_packages import worker_requirements

    lines = [str(requirement) for requirement in worker_requirements(engine)]
    if target.as_json:
        print_json(lines)
    else:
        click.echo("\n".join(lines))


@group.command()
@click.argument("name")
@pass_target
def remove(target: Target, name: str) -> None:
    """Forget the environment NAME. Its interpreter and packages stay.

    \b
    Example:
      atomlake env remove mace
    """
    from compute.environments.registry import remove_environment

    gone = remove_environment(name)
    print_done(target, f"Forgot {name} ({gone.python}).", name=name, python=gone.python)


def _sentence(found: Probe) -> str:
    engines = ", ".join(f"{name} {version}" for name, version in found.engines.items())
    return (
        f"{found.environment.name} is {found.environment.python}: Python {found.python_version}, "
        f"atomlake {found.atomlake or 'missing'}, torch {found.packages['torch'] or 'missing'}. "
        f"Engines: {engines or 'none'}. Devices: {', '.join(found.devices)}."
    )


def _verdict(environment: Environment, problems: Sequence[str]) -> str:
    lines = problems or ["works"]
    return "\n".join(f"{environment.name}: {line}" for line in lines)


def _probed(environment: Environment) -> dict[str, object]:
    """What there is in an environment, or why that cannot be said."""
    from compute.environments.probe import probe

    try:
        return _record(probe(environment))
    except (InvalidInputError, JobFailedError) as error:
        return {"name": environment.name, "python": environment.python, "problem": str(error)}


def _record(found: Probe) -> dict[str, object]:
    return {
        "name": found.environment.name,
        "python": found.environment.python,
        "version": found.python_version,
        "atomlake": found.atomlake,
        "torch": found.packages["torch"],
        "engines": found.engines,
        "devices": found.devices,
    }


def _as_row(record: Mapping[str, object]) -> dict[str, object]:
    """A record with its parts on one line each; a problem stands where the engines would."""
    engines, devices = record.get("engines"), record.get("devices")
    names = ("name", "python", "version", "atomlake", "torch")
    return {name: record.get(name) or "-" for name in names} | {
        "engines": record.get("problem")
        or (", ".join(f"{k} {v}" for k, v in engines.items()) if isinstance(engines, dict) else "")
        or "-",
        "devices": ", ".join(devices) if isinstance(devices, list) else "-",
    }
