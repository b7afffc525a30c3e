"""The environments of this machine by name: where they are kept, and by several at once."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from environment_samples import python_with

from compute.environments import probe as probing
from compute.environments import registry as registering
from compute.environments.environment import Environment, here
from compute.environments.registry import (
    add_environment,
    environments_file,
    find_environment,
    list_environments,
    remove_environment,
)
from lake.errors import InvalidInputError, NotFoundError, StorageError

pytestmark = pytest.mark.usefixtures("registry")


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
