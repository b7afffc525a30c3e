"""What is wrong with environments, and their commands."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from environment_samples import python_with, run, script
from trained_models import environment_python

from compute.environments import probe as probing
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
from compute.environments.worker_packages import WORKER
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


def test_every_extra_stands_in_pyproject() -> None:
    import tomllib

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
