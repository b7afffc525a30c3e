"""Logs of training runs as files, and what of them is in a lake."""

from __future__ import annotations

from pathlib import Path

from lake.lake import Lake


def write(path: Path, data: bytes | str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def counts(lk: Lake) -> tuple[int, int]:
    """Rows of `runs` and of `training_history`."""
    [found] = lk.sql(
        "SELECT (SELECT COUNT(*) FROM runs), (SELECT COUNT(*) FROM training_history)"
    ).fetchall()
    return found
