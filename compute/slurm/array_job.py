"""A computation as an array of Slurm: the command, in how many shards, and what they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compute.slurm.limits import time_limit_s
from compute.slurm.options import check_value, directives, further_directives
from lake.errors import InvalidInputError
from lake.names import check_name

GRACE_S = 120
_MOST_GRACE_S = 65535  # sbatch takes no more


@dataclass(frozen=True)
class ArrayJob:
    """One command, run once for each shard.

    Parameters
    ----------
    command
        Program and arguments, to which ``--shard K/N`` is added.
    n_shards
        Number of shards, N.
    folder
        Where the logs go: a path that is absolute and the same on every node.
    name
        Name of the job, the script and the logs.
    options
        What is asked of Slurm, by the names in `compute.slurm.options.OPTIONS`.
    further
        More options of sbatch, ``KEY=VALUE`` or ``KEY``.
    setup
        Lines of bash that run before the command.
    at_once
        Most shards that run at once; as many as there is room for by default.
    grace_s
        How long before the time limit the command gets SIGTERM, in seconds.
    is_requeued
        Whether Slurm starts a shard anew that lost its node or was preempted.
    """

    command: Sequence[str]
    n_shards: int
    folder: Path
    name: str = "atomlake"
    options: Mapping[str, str] = field(default_factory=dict)
    further: Sequence[str] = ()
    setup: Sequence[str] = ()
    at_once: int | None = None
    grace_s: int = GRACE_S
    is_requeued: bool = True

    @property
    def logs(self) -> Path:
        """The logs, in Slurm's words: %A is the number of the job, %a that of the shard."""
        return self.folder / f"{self.name}-%A_%a.log"

    def directives(self) -> list[str]:
        """Every option of sbatch the job needs, unquoted.

        Raises
        ------
        InvalidInputError, NotFoundError
            Something is asked for that cannot be meant.
        """
        self._check()
        throttle = "" if self.at_once is None else f"%{self.at_once}"
        return [
            f"--job-name={self.name}",
            f"--array=1-{self.n_shards}{throttle}",
            f"--output={self.logs}",
            "--open-mode=append",  # a shard that is started anew goes on in its log
            # B: the batch process alone. It tells its workers itself, and they hear it once.
            f"--signal=B:TERM@{self.grace_s}",
            "--requeue" if self.is_requeued else "--no-requeue",
            *directives(self.options),
            *further_directives(self.further),
        ]

    def _check(self) -> None:
        check_name("job", self.name)
        for name, value in (("--shards", self.n_shards), ("--at-once", self.at_once)):
            if value is not None and value < 1:
                raise InvalidInputError(f"{name} {value}: expected 1 or more.")
        for line in self.setup:
            check_value("--setup", line)
        self._check_folder()
        self._check_grace()

    def _check_folder(self) -> None:
        text = check_value("--folder", str(self.folder))
        if not self.folder.is_absolute() or "%" in text or "\\" in text:
            raise InvalidInputError(
                f"--folder {text}: expected a path without % and backslashes, which Slurm reads as "
                "something else in the name of a log. Choose another folder."
            )

    def _check_grace(self) -> None:
        if not 0 <= self.grace_s <= _MOST_GRACE_S:
            raise InvalidInputError(
                f"--grace {self.grace_s}: expected 0 to {_MOST_GRACE_S} seconds."
            )
        limit_s = time_limit_s(self.options["time"]) if "time" in self.options else None
        if limit_s is not None and limit_s <= self.grace_s:
            raise InvalidInputError(
                f"--time {self.options['time']}: every shard would be told to end as it begins, "
                f"because that is done {self.grace_s} seconds before the limit. Expected a longer "
                "time. Raise --time, or lower --grace."
            )
