"""`.wandb` files as they are read."""

from __future__ import annotations

from ingest.runs.logged_run import LogFile, LoggedFile
from ingest.runs.wandb_file.reader import read_wandb_file


def read(data: bytes, name: str = "run-abc.wandb") -> LoggedFile:
    return read_wandb_file(LogFile(name, data))


def values(file: LoggedFile) -> list[tuple[object, ...]]:
    return file.runs[0].history.select("step", "key", "value", "other").rows()
