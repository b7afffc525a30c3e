"""What may be asked of Slurm: each option once, for the command line and for the script."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from compute.slurm.limits import check_cpus, check_gpus, check_memory, check_time
from lake.errors import InvalidInputError, NotFoundError

_KEY = re.compile(r"[a-z][a-z0-9\-]*", re.ASCII)


@dataclass(frozen=True)
class SlurmOption:
    """An option of ``compute submit`` that sbatch has as well, called ``key`` there.

    ``form`` makes sbatch's value of the one given, or raises `InvalidInputError`.
    """

    name: str
    metavar: str
    help: str
    key: str
    form: Callable[[str], str] = str


def _same(name: str, metavar: str, text: str, form: Callable[[str], str] = str) -> SlurmOption:
    return SlurmOption(name, metavar, text, name, form)


OPTIONS = {
    option.name: option
    for option in (
        _same("partition", "NAME", "Partition."),
        _same("time", "TIME", "Time limit of each shard, e.g. 12:00:00.", check_time),
        _same("mem", "SIZE", "Memory of each shard, e.g. 50G.", check_memory),
        _same("cpus-per-task", "N", "CPUs of each shard.", check_cpus),
        SlurmOption(
            "gpus", "[KIND:]N", "GPUs of each shard, e.g. 1 or a100:1.", "gres", check_gpus
        ),
        _same("account", "NAME", "Account to charge."),
        _same("qos", "NAME", "Quality of service."),
        _same("constraint", "FEATURES", "Features the nodes must have."),
        _same("nodelist", "NODES", "Nodes to use."),
        _same("exclude", "NODES", "Nodes to avoid."),
        _same("mail-type", "EVENTS", "When to send mail, e.g. END,FAIL."),
        _same("mail-user", "ADDRESS", "Whom to send it to."),
    )
}
# What the script must say itself, or what would make sbatch do something else than submit it.
_OWN = {
    "array": "--shards and --at-once",
    "job-name": "--name",
    "output": "--folder",
    "error": "--folder",
    "signal": "--grace",
    "requeue": "--requeue",
    "no-requeue": "--no-requeue",
    **{option.key: f"--{option.name}" for option in OPTIONS.values()},
}
_REFUSED = frozenset({"open-mode", "parsable", "test-only", "wait", "wrap"})


def directives(values: Mapping[str, str]) -> list[str]:
    """The options of sbatch that ask for `values`, which go by the names in `OPTIONS`.

    Raises
    ------
    NotFoundError
        There is no such option.
    InvalidInputError
        A value is not what the option takes.

    Examples
    --------
    >>> directives({"partition": "gpu", "gpus": "a100:1"})
    ['--partition=gpu', '--gres=gpu:a100:1']
    """
    said = []
    for name, value in values.items():
        if name not in OPTIONS:
            raise NotFoundError.among("option of compute submit", name, OPTIONS)
        option = OPTIONS[name]
        said.append(f"--{option.key}={option.form(check_value(f'--{name}', value))}")
    return said


def further_directives(texts: Sequence[str]) -> list[str]:
    """The options of sbatch written as ``KEY=VALUE``, or ``KEY`` for one without a value.

    Raises
    ------
    InvalidInputError
        It is not of that form, or `compute submit` has an option of its own for it.
    """
    said = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not _KEY.fullmatch(key):
            raise InvalidInputError(
                f"--sbatch {text}: expected KEY=VALUE, or KEY alone, with the long name of an "
                "option of sbatch and no dashes before it, e.g. licenses=ansys."
            )
        if key in _OWN:
            raise InvalidInputError(
                f"--sbatch {key}: atomlake sets it itself. Use {_OWN[key]} instead."
            )
        if key in _REFUSED:
            raise InvalidInputError(
                f"--sbatch {key}: atomlake needs sbatch without it. Leave it out."
            )
        said.append(f"--{key}={check_value(f'--sbatch {key}', value)}" if equals else f"--{key}")
    return said


def check_value(name: str, value: str) -> str:
    """A value that fits on one line of a script.

    Raises
    ------
    InvalidInputError
        It is empty, or has line breaks or other control characters.
    """
    if not value.strip() or any(ord(character) < ord(" ") for character in value):
        raise InvalidInputError(f"{name} {value!r}: expected something that fits on one line.")
    return value
