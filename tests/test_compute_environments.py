"""What is wrong with environments, and their commands."""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from environment_samples import python_with, run, script
from trained_models import environment_python

from compute.environments import probe as probing
from compute.environments import worker_packages
from compute.environments.checking import check_environment, missing_parts, require_usable
from compute.environments.engine_packages import (
    DISTRIBUTIONS,
    ENGINES,
    EXTRAS,
    needed_packages,
)
from compute.environments.environment import Environment, here
from compute.environments.installation import install_command
from compute.environments.probe import Probe, probe
from compute.environments.registry import (
    add_environment,
    find_environment,
)
from compute.environments.worker_packages import WORKER, worker_requirements
from lake.errors import InvalidInputError, NotFoundError
from lake.version import __version__

pytestmark = pytest.mark.usefixtures("registry")


def test_atomlake_of_another_version_is_told_with_the_command_that_mends_it(tmp_path: Path) -> None:
    python = python_with(tmp_path, lake_init="", lake_version='__version__ = "0.0.1"')
    environment = Environment("old", python)
    with pytest.raises(
        InvalidInputError, match=r"has atomlake 0\.0\.1\. Jobs there need"
    ) as raised:
        require_usable(environment, "ase")
    assert f"{python} -m pip install" in str(raised.value)
    assert check_environment(environment) == [str(raised.value)]


def test_an_environment_without_atomlake_is_registered_and_told(tmp_path: Path) -> None:
    python = script(tmp_path, f'exec {sys.executable} -S -E -P "$@"')
    result = run("env", "add", "bare", "--python", python)
    assert result.exit_code == 0
    assert "atomlake missing" in result.stdout
    assert f"has no atomlake. Jobs there need {__version__}" in result.stderr
    with pytest.raises(InvalidInputError, match="lacks ase"):
        require_usable(find_environment("bare"), "ase")


@pytest.mark.parametrize(("there", "engine"), [("nequip", "mace"), ("mace", "allegro")])
def test_packages_that_exclude_each_other_are_never_advised_together(
    there: str, engine: str
) -> None:
    packages = dict.fromkeys(DISTRIBUTIONS) | dict.fromkeys(WORKER, "1000.0")
    packages |= dict.fromkeys(["torch", there], "1.0")
    found = Probe(Environment("full", "/full/python"), "3.11.7", __version__, packages, True, ())
    (problem,) = missing_parts(found, engine)
    assert "--env" in problem
    assert "pip install" not in problem


def test_a_missing_engine_names_its_packages_and_another_way() -> None:
    if probe(here()).packages["mace"] is not None:
        pytest.skip("mace is installed here")
    with pytest.raises(InvalidInputError, match=r"(?s)lacks mace-torch.*--env NAME") as raised:
        require_usable(here(), "mace")
    assert "[mace]" in str(raised.value)
    assert any("mace-torch" in problem for problem in check_environment(here(), "mace"))


def test_an_unknown_engine_lists_those_there_are() -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean .*mace"):
        require_usable(here(), "mase")


def test_a_package_that_does_not_import_is_found_by_the_check_alone(tmp_path: Path) -> None:
    broken = "raise ImportError('libcudart.so.12: cannot open shared object file')"
    python = python_with(tmp_path, ase_init=broken)
    environment = Environment("broken", python)
    assert "ase" in require_usable(environment, "ase").engines
    problems = check_environment(environment, "ase")
    assert any("libcudart.so.12" in problem for problem in problems)


def test_a_missing_torch_comes_first() -> None:
    found = probe(here())
    bare = dict.fromkeys(found.packages)
    without = probing.Probe(found.environment, "3.11.7", None, bare, False, ())
    first, second = install_command(without, "nequip").split(" && ")
    assert first.startswith("uv pip install --python ")
    assert first.endswith(" torch==2.13.0")
    assert "[nequip]" in second
    assert "torch" not in install_command(without, "ase")
    assert missing_parts(without)


def elsewhere(**packages: str | None) -> Probe:
    """An environment that is not here, with everything but for some packages."""
    there = dict.fromkeys([*DISTRIBUTIONS, *WORKER], "1000.0") | packages
    return Probe(Environment("e", "/e/python"), "3.11.7", __version__, there, True, ())


def test_what_a_worker_lacks_is_told_by_name_and_release() -> None:
    found = elsewhere(nequip=None, zarr=None, numpy="1.26.4", obstore="unknown", mace="0.3.6")
    (problem,) = missing_parts(found)
    assert "lacks numpy>=2.0 (it has 1.26.4), zarr>=3.1. Workers need ase," in problem
    assert problem.endswith("/e/python -m pip install 'numpy>=2.0' 'zarr>=3.1'")
    (problem,) = missing_parts(elsewhere(nequip=None, mace="0.3.6"), "mace")
    assert "lacks mace-torch>=0.3.16 (it has 0.3.6)" in problem, "an engine has a floor too"


def test_an_environment_gets_what_workers_need_and_then_atomlake_without_more() -> None:
    bare = replace(elsewhere(**dict.fromkeys([*DISTRIBUTIONS, *WORKER])), atomlake=None)
    torch, packages, atomlake = install_command(bare, "mace").split(" && ")
    assert torch == "/e/python -m pip install torch==2.13.0"
    for name in ("pyarrow>=", "mace-torch>=", "vesin>="):
        assert f" '{name}" in packages
    for name in ("duckdb", "deltalake", "polars", "nequip", "torch'", ";"):
        assert name not in packages
    assert " --no-deps " in atomlake
    assert "[mace]" not in atomlake


@pytest.mark.parametrize(
    ("atomlake", "zarr", "n_commands"),
    [
        ("0.0.1", "1000.0", 1),
        (__version__, None, 1),
        ("0.0.1", None, 2),
        (__version__, "1000.0", 2),
    ],
)
def test_only_what_is_lacking_is_to_be_installed_and_all_where_nothing_is(
    atomlake: str, zarr: str | None, n_commands: int
) -> None:
    found = replace(elsewhere(zarr=zarr), atomlake=atomlake)
    commands = install_command(found).split(" && ")
    assert len(commands) == n_commands
    assert ("--no-deps" in commands[-1]) == (atomlake == "0.0.1" or n_commands == 2)
    assert ("'zarr>=" in commands[0]) == (zarr is None or n_commands == 2)


def test_requirements_are_lines_for_pip_with_the_floors_of_pyproject() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))
    declared = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    lines = run("env", "requirements").stdout.splitlines()
    assert set(lines) < set(declared)
    assert json.loads(run("env", "requirements", "ase", "--json").stdout) == lines
    for engine, extra in (("mace", "mace"), ("nequip", "nequip"), ("allegro", "nequip")):
        of_engine = run("env", "requirements", engine).stdout.splitlines()
        assert set(of_engine) == {*lines, *extras[extra]}
    result = run("env", "requirements", "mase")
    assert result.exit_code == 2
    assert "Did you mean ase, mace?" in result.output


def test_a_checkout_that_is_not_installed_declares_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = {engine: list(map(str, worker_requirements(engine))) for engine in ENGINES}

    def not_there(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(worker_packages, "requires", not_there)
    for engine, lines in installed.items():
        assert sorted(map(str, worker_requirements(engine))) == sorted(lines)


def test_every_extra_stands_in_pyproject() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    assert set(EXTRAS) < set(ENGINES)
    for engine, extra in EXTRAS.items():
        text = " ".join(extras[extra])
        for package in set(needed_packages(engine)) - {"torch", "allegro", "mace"}:
            assert package in text, (engine, package)


def test_list_shows_what_is_there_and_what_is_gone(tmp_path: Path) -> None:
    python = python_with(tmp_path)
    assert run("env", "add", "gone", "--python", python).exit_code == 0
    Path(python).unlink()
    result = run("env", "list", "--json")
    assert result.exit_code == 0
    first, second = json.loads(result.stdout)
    assert (first["name"], first["python"]) == ("here", sys.executable)
    assert first["engines"]["ase"]
    assert "cpu" in first["devices"]
    assert "cannot be started" in second["problem"]
    table = run("env", "list").stdout
    assert "here" in table
    assert "cannot be started" in table


def test_check_ends_with_one_where_something_is_wrong(tmp_path: Path) -> None:
    python = python_with(tmp_path)
    run("env", "add", "gone", "--python", python)
    Path(python).unlink()
    result = run("env", "check", "gone")
    assert result.exit_code == 1
    assert "gone: The environment gone" in result.stdout
    assert json.loads(run("env", "check", "--json", "gone").stdout)["gone"]
    assert run("env", "check", "here").exit_code == 0
    assert run("env", "check", "nobody").exit_code == 2


def test_remove_says_what_it_forgot(tmp_path: Path) -> None:
    run("env", "add", "main", "--python", sys.executable)
    assert sys.executable in run("env", "remove", "main").stdout
    result = run("env", "remove", "main")
    assert result.exit_code == 2
    assert "No environment" in result.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "engines"), [("mace", {"mace"}), ("nequip", {"nequip", "allegro"})]
)
def test_real_environments_work(name: str, engines: set[str]) -> None:
    found = add_environment(name, str(environment_python(name)))
    assert engines <= set(found.engines)
    assert not ({"mace", "nequip"} - {name}) & set(found.engines)  # they exclude each other
    assert check_environment(found.environment) == []
