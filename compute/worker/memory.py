"""How much memory a worker may take: bounds from outside, and the one it sets itself."""

from __future__ import annotations

import resource
from pathlib import Path

from lake.errors import InvalidInputError

# With less, libraries end the process, or wait for ever for a thread that cannot start.
LEAST_ROOM = 512 * 2**20  # bytes
# What libraries take until the first structure, and some more: 700 MiB and 1.5 GiB were too little
# for a small MACE.
_LEAST_AT_START = {
    "RLIMIT_DATA": (resource.RLIMIT_DATA, 2**30, "ulimit -d"),
    "RLIMIT_AS": (resource.RLIMIT_AS, 2 * 2**30, "ulimit -v"),
}
_COUNTED = {"RLIMIT_DATA": "VmData", "RLIMIT_AS": "VmSize"}


def require_room_to_start() -> None:
    """Refuse a bound that was set from outside and under which libraries cannot start.

    Raises
    ------
    InvalidInputError
        There is one.
    """
    for name, (number, least, command) in _LEAST_AT_START.items():
        bound = resource.getrlimit(number)[0]
        if bound != resource.RLIM_INFINITY and bound < least:
            raise InvalidInputError(
                f"The memory of the worker is bounded to {bound / 2**20:,.0f} MiB by {name}, "
                f"as '{command}' sets it. Its libraries need {least / 2**20:,.0f} MiB before the "
                "first structure. Raise the bound; --max-memory bounds what comes after that."
            )


def bound_memory(max_memory: int | None) -> None:
    """Let allocations beyond the bound fail, where they can be answered by smaller batches.

    Only once the model is loaded and the lake was read: a library that finds no room while it
    starts says anything, or waits for ever for a thread it could not start.

    Raises
    ------
    InvalidInputError
        The bound, or one that was set from outside, leaves no room beside what the worker has.
    """
    if max_memory is not None and resource.getrlimit(resource.RLIMIT_DATA)[0] != max_memory:
        _require_room("VmData", max_memory, "max_memory")
        # A lower bound that was set from outside stays.
        outside = resource.getrlimit(resource.RLIMIT_DATA)[1]
        if outside == resource.RLIM_INFINITY or max_memory < outside:
            resource.setrlimit(resource.RLIMIT_DATA, (max_memory, max_memory))
    for name, (number, _, command) in _LEAST_AT_START.items():
        bound = resource.getrlimit(number)[0]
        if bound not in (resource.RLIM_INFINITY, max_memory):
            _require_room(_COUNTED[name], bound, f"{name}, as '{command}' sets it")


def _require_room(counted: str, bound: int, which: str) -> None:
    used = _memory_counted(counted)
    if used + LEAST_ROOM > bound:
        raise InvalidInputError(
            f"{which}: {bound:,} bytes. With the model loaded, the worker has {used:,} already, "
            f"and needs {LEAST_ROOM:,} more to work with. Allow "
            f"{-(-(used + LEAST_ROOM) // 2**20)}M or more."
        )


def _memory_counted(name: str) -> int:
    """Bytes that count towards a bound, as the kernel says."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0
