"""Peak memory of a command and of every process it starts."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_EVERY_S = 0.05
KILOBYTE = 1024
PROC = Path("/proc")


@dataclass(frozen=True)
class Peak:
    """The most memory a command held, in bytes.

    ``tree`` is the sum of PSS over its processes, where what they share counts once; ``largest`` is
    the RSS of the largest of them, shared pages included.
    """

    tree: int
    largest: int
    seconds: float


def peak_memory(command: Sequence[str]) -> Peak:
    """Run a command and watch it.

    Raises
    ------
    CalledProcessError
        The command failed.
    """
    tree = largest = 0
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            shares = [_memory(pid) for pid in _descendants(process.pid)]
            tree = max(tree, sum(pss for pss, _ in shares))
            largest = max([largest, *(rss for _, rss in shares)])
            time.sleep(SAMPLE_EVERY_S)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return Peak(tree, largest, time.perf_counter() - start)


def _descendants(root: int) -> list[int]:
    """A process and all below it, by the parents that /proc names."""
    children: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdecimal() and (parent := _parent(folder)) is not None:
            children.setdefault(parent, []).append(int(folder.name))
    found = [root]
    for pid in found:  # grows as it goes
        found += children.get(pid, [])
    return found


def _parent(folder: Path) -> int | None:
    try:
        # The name in the second field may hold spaces and parentheses of its own.
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it ended meanwhile
        return None


def _memory(pid: int) -> tuple[int, int]:
    """PSS now, and the greatest RSS so far, in bytes; zero for a process that ended."""
    try:
        return (
            _field(PROC / str(pid) / "smaps_rollup", "Pss:"),
            _field(PROC / str(pid) / "status", "VmHWM:"),
        )
    except OSError:
        return 0, 0


def _field(file: Path, name: str) -> int:
    for line in file.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * KILOBYTE
    return 0
