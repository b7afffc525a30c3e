"""Environments: the registry of this machine, what is found in them, and what is wrong there."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import threading
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from trained_models import environment_python

from compute.environments import probe as probing
from compute.environments import probe_source
from compute.environments import registry as registering
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
from compute.environments.processes import run_python
from compute.environments.registry import (
    add_environment,
    environments_file,
    find_environment,
    list_environments,
    remove_environment,
)
from lake.cli import root
from lake.errors import InvalidInputError, JobFailedError, NotFoundError, StorageError
from lake.version import __version__


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "settings" / "environments.json"
    monkeypatch.setenv("ATOMLAKE_ENVIRONMENTS", str(file))
    return file


def script(folder: Path, text: str, name: str = "python") -> str:
    """An executable shell script."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def python_with(folder: Path, **modules: str) -> str:
    """This interpreter, which finds modules of ours before all others; ``a_b`` is ``a/b.py``."""
    library = folder / "library"
    for name, text in modules.items():
        file = library / f"{name.replace('_', '/').replace('init', '__init__')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return script(folder, f'PYTHONPATH={library} exec {sys.executable} "$@"')


def run(*words: str) -> Result:
    return CliRunner().invoke(root, words, env={"ATOMLAKE": None})


# The registry


def test_what_is_added_is_found_and_removed() -> None:
    found = add_environment("main", sys.executable)
    assert found.environment == Environment("main", sys.executable)
    assert list_environments() == [found.environment]
    assert find_environment("main") == found.environment
    assert remove_environment("main") == found.environment
    assert list_environments() == []


def test_no_name_means_the_interpreter_that_runs_atomlake() -> None:
    assert find_environment(None) == find_environment("here") == here()
    assert here().python == sys.executable
    with pytest.raises(InvalidInputError, match="always means"):
        add_environment("here", sys.executable)


def test_adding_again_changes_nothing_and_another_interpreter_is_refused(
    registry: Path, tmp_path: Path
) -> None:
    add_environment("main", sys.executable)
    written = registry.stat().st_mtime_ns
    add_environment("main", sys.executable)
    assert registry.stat().st_mtime_ns == written
    with pytest.raises(InvalidInputError, match=r"main stands for .* already"):
        add_environment("main", python_with(tmp_path))
    assert find_environment("main").python == sys.executable


def test_unknown_names_list_the_near_ones() -> None:
    add_environment("mace", sys.executable)
    with pytest.raises(NotFoundError, match=r"Did you mean mace\?.*atomlake env add mac --python"):
        find_environment("mac")
    with pytest.raises(NotFoundError, match="mace"):
        remove_environment("mac")


def test_a_name_must_be_safe() -> None:
    with pytest.raises(InvalidInputError, match="cannot be the name"):
        add_environment("a/b", sys.executable)


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"ATOMLAKE_ENVIRONMENTS": "/a/b.json", "XDG_CONFIG_HOME": "/c"}, "/a/b.json"),
        ({"ATOMLAKE_ENVIRONMENTS": "", "XDG_CONFIG_HOME": "/c"}, "/c/atomlake/environments.json"),
        (
            {"ATOMLAKE_ENVIRONMENTS": "", "XDG_CONFIG_HOME": "", "HOME": "/h"},
            "/h/.config/atomlake/environments.json",
        ),
    ],
)
def test_where_they_are_kept(
    variables: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environments_file() == Path(place)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"environments": {"a": 1}}',
        '{"environments": {"a": {}}}',
        '{"environments": [1]}',
        "\x00",
    ],
)
def test_a_damaged_file_is_named_and_left_alone(registry: Path, text: str) -> None:
    registry.parent.mkdir()
    registry.write_text(text)
    for call in (list_environments, lambda: add_environment("main", sys.executable)):
        with pytest.raises(InvalidInputError, match=r"environments\.json is damaged"):
            call()
    assert registry.read_text() == text


def test_a_file_that_cannot_be_read_or_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ATOMLAKE_ENVIRONMENTS", str(tmp_path / "file" / "e.json"))
    with pytest.raises(InvalidInputError, match=r"e\.json cannot be read"):
        list_environments()
    with pytest.raises(StorageError, match="ATOMLAKE_ENVIRONMENTS"):
        add_environment("main", sys.executable)


def test_a_full_disk_leaves_the_old_file(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_environment("main", sys.executable)
    before = registry.read_text()

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(StorageError, match="No space left"):
        add_environment("more", sys.executable)
    assert registry.read_text() == before
    assert sorted(f.name for f in registry.parent.iterdir()) == [
        "environments.json",
        "environments.json.lock",
    ]


def test_a_linked_file_stays_a_link(registry: Path, tmp_path: Path) -> None:
    registry.parent.mkdir()
    registry.symlink_to(tmp_path / "elsewhere.json")
    (tmp_path / "elsewhere.json").write_text('{"environments": {}}')
    add_environment("main", sys.executable)
    assert registry.is_symlink()
    assert "main" in (tmp_path / "elsewhere.json").read_text()


def test_writers_at_once_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"env-{i}" for i in range(4)]
    barrier = threading.Barrier(len(names))
    read = registering._read

    def all_at_once(environment: Environment) -> probing.Probe:
        barrier.wait()
        return probing.Probe(environment, "3.11.7", None, {}, False, ())

    def slow_read(file: Path) -> list[Environment]:
        found = read(file)
        time.sleep(0.1)  # long enough for the others to read the same
        return found

    monkeypatch.setattr(registering, "probe", all_at_once)
    monkeypatch.setattr(registering, "_read", slow_read)
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: add_environment(name, sys.executable), names))
    assert [environment.name for environment in list_environments()] == names


def test_processes_at_once_lose_nothing() -> None:
    code = (
        "import sys; from compute.environments.registry import add_environment\n"
        "for i in range(4): add_environment(f'{sys.argv[1]}{i}', sys.executable)"
    )
    writers = [subprocess.Popen([sys.executable, "-P", "-c", code, name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert [e.name for e in list_environments()] == [f"{n}{i}" for n in "abc" for i in range(4)]


# Interpreters


def test_links_of_a_venv_are_kept(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", symlinks=True)
    found = add_environment("env", str(tmp_path / "env"))
    python = found.environment.python
    assert python == str(tmp_path / "env" / "bin" / "python")
    code = "import sys; print(sys.prefix)"
    assert run_python(found.environment, ["-c", code], timeout_s=60).stdout.strip() == str(
        tmp_path / "env"
    )
    assert found.atomlake is None  # it has packages of its own: none
    assert found.engines == {}


def test_a_command_on_the_path_and_a_relative_path_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path, f'exec {sys.executable} "$@"', "mypython")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert add_environment("a", "mypython").environment.python == str(tmp_path / "mypython")
    monkeypatch.chdir(tmp_path)
    assert add_environment("b", "./mypython").environment.python == str(tmp_path / "mypython")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: str(f / "nothing"), "does not exist"),
        (lambda f: str(f), r"bin/python: does not exist"),
        (lambda f: str(f / "link"), "the link leads to .*gone, which is not there"),
        (lambda f: str(f / "text"), "cannot be started: Permission denied"),
        (lambda f: str(f / "x-text"), "cannot be started: Exec format error"),
        (lambda f: script(f, "exit 0"), "does not run as Python: it ended with code 0"),
        (lambda f: script(f, "echo no licence >&2; exit 3"), "code 3: no licence"),
        (lambda f: script(f, "kill -9 $$"), "ended by SIGKILL"),
        (lambda f: script(f, 'echo "$@"'), "does not run as Python"),
    ],
)
def test_what_is_no_interpreter_is_refused(
    make, message: str, tmp_path: Path, registry: Path
) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "x-text").write_text("hello")
    (tmp_path / "x-text").chmod(0o755)
    (tmp_path / "link").symlink_to("gone")
    with pytest.raises(InvalidInputError, match=message):
        add_environment("x", make(tmp_path))
    assert not registry.exists()


def test_an_old_python_is_refused_by_its_version(tmp_path: Path) -> None:
    old = f"""
if [ "$1" = -c ]; then
  exec {sys.executable} -c "import sys; sys.version_info = (3, 9, 18)
$2" "$3" "$4"
fi"""
    with pytest.raises(InvalidInputError, match=r"is Python 3\.9\.18\. Expected Python 3\.11"):
        add_environment("old", script(tmp_path, old))


def test_an_interpreter_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "PROBE_TIMEOUT_S", 2.0)
    python = script(tmp_path, f"echo $$ > {tmp_path}/session; sleep 61 & sleep 60")
    started = time.monotonic()
    with pytest.raises(JobFailedError, match=r"no answer in 2 s"):
        add_environment("x", python)
    assert time.monotonic() - started < 30  # the child would hold the pipes open for 60
    session = (tmp_path / "session").read_text().strip()
    deadline = time.monotonic() + 10
    while (left := running_in(session)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def running_in(session: str) -> list[str]:
    """The processes of a session that still run; a zombie does not."""
    left = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            state, _, _, of_session = stat.read_text().rpartition(")")[2].split()[:4]
            if of_session == session and state != "Z":
                left.append(str(stat))
    return left


# What is found


def test_the_probe_agrees_with_what_is_installed() -> None:
    found = probe(here())
    version = subprocess.run(
        [
            sys.executable,
            "-c",
            "import ase, platform; print(ase.__version__, platform.python_version())",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [found.packages["ase"], found.python_version] == version.stdout.split()
    assert found.atomlake == __version__
    assert found.engines["ase"] == found.packages["ase"]
    assert found.devices[0] == "cpu"


def test_noise_of_a_site_is_passed_over(tmp_path: Path) -> None:
    noisy = python_with(tmp_path, sitecustomize="print('Welcome to the cluster')")
    assert probe(Environment("noisy", noisy)).atomlake == __version__


def test_the_folder_one_stands_in_lends_no_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mace.py").touch()
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(tmp_path)
    assert probe(here()).packages["mace"] is None


def test_an_empty_folder_is_no_package_and_a_fork_is_one(tmp_path: Path) -> None:
    python = python_with(tmp_path, mace_init="", nequip_data="")
    (tmp_path / "library" / "nequip" / "data.py").unlink()
    found = probe(Environment("fork", python)).packages
    assert found["nequip"] is None
    assert found["mace"] == "unknown"


def test_versions_are_read_without_importing(tmp_path: Path) -> None:
    python = python_with(
        tmp_path,
        torch_init="raise SystemExit('torch was imported')",
        torch_version="from typing import Optional\ncuda: Optional[str] = '12.6'\n",
        lake_init="raise SystemExit('lake was imported')",
        lake_version='__version__ = "9.9.9"',
    )
    found = probe(Environment("odd", python))
    assert found.atomlake == "9.9.9"
    assert found.packages["torch"] is not None
    assert list(found.gpus) == probe_source.gpu_names()


@pytest.mark.gpu
def test_gpus_are_those_torch_sees() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    assert probe_source.gpu_names() == names


# What is wrong


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
    packages = {name: "1.0" if name in ("torch", there) else None for name in DISTRIBUTIONS}
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


# The commands


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
