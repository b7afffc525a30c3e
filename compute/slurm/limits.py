"""Times and sizes as Slurm writes them."""

from __future__ import annotations

import re

from lake.errors import InvalidInputError

_UNLIMITED = frozenset({"UNLIMITED", "INFINITE"})
_CLOCK = r"(?P<a>\d+)(?::(?P<b>\d+)(?::(?P<c>\d+))?)?"
_TIME = re.compile(rf"(?:(?P<days>\d+)-)?{_CLOCK}", re.ASCII)
_MEMORY = re.compile(r"\d+[KMGT]?", re.ASCII | re.IGNORECASE)
_GPUS = re.compile(r"(?:[A-Za-z0-9_.\-]+:)?[1-9]\d*", re.ASCII)
_COUNT = re.compile(r"[1-9]\d*", re.ASCII)


def time_limit_s(text: str) -> int | None:
    """The seconds of a time limit; None where it is unlimited.

    Raises
    ------
    InvalidInputError
        It is none of the forms sbatch knows.

    Examples
    --------
    >>> [time_limit_s(text) for text in ("90", "90:30", "12:00:00", "1-12", "1-12:30")]
    [5400, 5430, 43200, 129600, 131400]
    """
    if text.upper() in _UNLIMITED:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise InvalidInputError(
            f"--time {text}: expected minutes, hours:minutes:seconds or days-hours, "
            "e.g. 90, 12:00:00 or 1-12."
        )
    days, a, b, c = (int(match[name] or 0) for name in ("days", "a", "b", "c"))
    if match["days"] is not None:
        return ((days * 24 + a) * 60 + b) * 60 + c
    if match["c"] is not None:
        return (a * 60 + b) * 60 + c
    return a * 60 + b


def check_time(text: str) -> str:
    """A time limit as it is.

    Raises
    ------
    InvalidInputError
        It is none of the forms sbatch knows, or 0, which to Slurm means that there is no limit.
    """
    if time_limit_s(text) == 0:
        raise InvalidInputError(
            f"--time {text}: expected more than 0. Give UNLIMITED where none is meant."
        )
    return text


def check_memory(text: str) -> str:
    """A size of memory as it is; a number alone counts megabytes.

    Raises
    ------
    InvalidInputError
        It is not a whole number with K, M, G or T after it.
    """
    if not _MEMORY.fullmatch(text):
        raise InvalidInputError(
            f"--mem {text}: expected a whole number and K, M, G or T, e.g. 50G."
        )
    return text


def check_gpus(text: str) -> str:
    """GPUs as a generic resource of Slurm: ``2`` is ``gpu:2``, ``a100:1`` is ``gpu:a100:1``.

    Raises
    ------
    InvalidInputError
        It is neither a number above 0 nor such a number after a kind of GPU.
    """
    if not _GPUS.fullmatch(text):
        raise InvalidInputError(f"--gpus {text}: expected a number or KIND:NUMBER, e.g. a100:1.")
    return f"gpu:{text}"


def check_cpus(text: str) -> str:
    """A number of CPUs as it is.

    Raises
    ------
    InvalidInputError
        It is no whole number above 0.
    """
    if not _COUNT.fullmatch(text):
        raise InvalidInputError(f"--cpus-per-task {text}: expected a whole number above 0.")
    return text
