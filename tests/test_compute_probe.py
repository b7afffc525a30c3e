"""Interpreters, and what is found in them."""

from __future__ import annotations

import subprocess
import sys
import time
import venv
from contextlib import suppress
from pathlib import Path

import pytest
from environment_samples import python_with, script

from compute.environments import probe as probing
from compute.environments import probe_source
from compute.environments.environment import Environment, here
from compute.environments.probe import probe
from compute.environments.processes import run_python
from compute.environments.registry import (
    add_environment,
)
from lake.errors import InvalidInputError, JobFailedError
from lake.version import __version__

pytestmark = pytest.mark.usefixtures("registry")


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
