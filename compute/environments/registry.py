"""The environments of this machine, by name.

They are kept in a JSON file of the user, not in the lake: a lake is shared between machines, and
each has its interpreters in other places.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from compute.environments.environment import HERE, Environment, find_interpreter, here
from compute.environments.probe import Probe, probe
from lake.errors import InvalidInputError, NotFoundError, StorageError
from lake.names import check_name


def environments_file() -> Path:
    """``$ATOMLAKE_ENVIRONMENTS``, or ``atomlake/environments.json`` among the user's settings."""
    if chosen := os.environ.get("ATOMLAKE_ENVIRONMENTS"):
        return Path(chosen).expanduser().absolute()
    settings = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(settings).expanduser().absolute() / "atomlake" / "environments.json"


def list_environments() -> list[Environment]:
    """The registered environments, by name.

    Raises
    ------
    InvalidInputError
        The file they are kept in cannot be read.
    """
    return _read(environments_file())


def find_environment(name: str | None) -> Environment:
    """The environment called `name`; None and ``here`` mean the interpreter running atomlake.

    Raises
    ------
    NotFoundError
        There is none on this machine.
    """
    if name is None or name == HERE:
        return here()
    known = {environment.name: environment for environment in list_environments()}
    if name not in known:
        error = NotFoundError.among("environment of this machine", name, known)
        raise NotFoundError(f"{error} To register it: atomlake env add {name} --python PATH")
    return known[name]


def add_environment(name: str, python: str) -> Probe:
    """Register an interpreter under a name; what there is in it.

    Parameters
    ----------
    python
        An interpreter, the folder of a venv or conda environment, or a command on the PATH.

    Raises
    ------
    InvalidInputError
        The interpreter does not run or is older than Python 3.11, or the name stands for another.
    """
    if check_name("environment", name) == HERE:
        raise InvalidInputError(
            f"{HERE!r} always means the interpreter that runs atomlake. Choose another name."
        )
    environment = Environment(name, find_interpreter(python))
    found = probe(environment)
    with _changing() as known:
        if known.get(name, environment) != environment:
            raise InvalidInputError(
                f"{name} stands for {known[name].python} already. A name stands for one "
                f"interpreter. Choose another, or first: atomlake env remove {name}"
            )
        known[name] = environment
    return found


def remove_environment(name: str) -> Environment:
    """Forget an environment; its interpreter stays where it is.

    Raises
    ------
    NotFoundError
        There is none of that name.
    """
    with _changing() as known:
        if name not in known:
            raise NotFoundError.among("environment of this machine", name, known)
        return known.pop(name)


@contextmanager
def _changing() -> Iterator[dict[str, Environment]]:
    """The environments by name, written back when the block ends well; others wait meanwhile."""
    file = environments_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_name(f"{file.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = {environment.name: environment for environment in _read(file)}
            before = dict(known)
            yield known
            if known != before:
                _write(file, known)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(
            f"{file}: {error.strerror}. The environments are kept there. Make it writable, or name "
            "another file in the environment variable ATOMLAKE_ENVIRONMENTS."
        ) from error


def _read(file: Path) -> list[Environment]:
    try:
        fields = json.loads(file.read_text("utf-8"))["environments"]
        return [Environment(name, fields[name]["python"]) for name in sorted(fields)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InvalidInputError(
            f"{file} cannot be read: {error.strerror}. The environments are kept there. Mend that, "
            "or name another file in the environment variable ATOMLAKE_ENVIRONMENTS."
        ) from error
    except (ValueError, TypeError, LookupError) as error:
        raise InvalidInputError(
            f"{file} is damaged ({error}). Expected "
            '{"environments": {"NAME": {"python": "PATH"}}}. Mend it, or delete it and register '
            "the environments again with atomlake env add."
        ) from error


def _write(file: Path, known: Mapping[str, Environment]) -> None:
    """Replace the file as a whole, durably; a link stays a link."""
    target = file.resolve()
    entries = {name: {"python": known[name].python} for name in sorted(known)}
    with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False, encoding="utf-8") as new:
        try:
            json.dump({"environments": entries}, new, indent=2)
            new.write("\n")
            new.flush()
            os.fsync(new.fileno())
            Path(new.name).replace(target)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
