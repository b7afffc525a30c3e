"""The kinds of training logs, and what reads each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ingest.runs.lightning_csv import NAME as LIGHTNING_NAME
from ingest.runs.lightning_csv import read_lightning_csv
from ingest.runs.logged_run import LogFile, LoggedFile
from ingest.runs.mace_log import SUFFIX, read_mace_log
from ingest.runs.wandb_csv import read_wandb_csv
from ingest.runs.wandb_file.reader import read_wandb_file
from ingest.runs.wandb_file.record_log import MAGIC
from lake.errors import NotFoundError


@dataclass(frozen=True)
class LogKind:
    """A kind of log: the names its files have in a folder, and what reads one."""

    name: str
    pattern: str
    read: Callable[[LogFile], LoggedFile]

    def finds(self, file_name: str) -> bool:
        """Whether a file found in a folder is one."""
        return fnmatchcase(file_name, self.pattern)


def read_wandb(file: LogFile) -> LoggedFile:
    """A `.wandb` file or a CSV export of wandb's pages, by its first bytes."""
    is_log = file.data.startswith(MAGIC) or file.uri.endswith(".wandb")
    return read_wandb_file(file) if is_log else read_wandb_csv(file)


KINDS = {
    kind.name: kind
    for kind in (
        LogKind("wandb", "*.wandb", read_wandb),
        LogKind("mace-log", f"*{SUFFIX}", read_mace_log),
        LogKind("lightning", LIGHTNING_NAME, read_lightning_csv),
    )
}


def find_kind(name: str) -> LogKind:
    """The kind called `name`.

    Raises
    ------
    NotFoundError
        There is none.
    """
    if name not in KINDS:
        raise NotFoundError.among("kind of training log", name, KINDS)
    return KINDS[name]
