"""Handing a job to Slurm."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from shutil import which

from compute.slurm.array_job import ArrayJob
from compute.slurm.script import script_text
from lake.errors import JobFailedError

_JOB_ID = re.compile(r"^(\d+)(;\S*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Submission:
    """A job Slurm took: its number, the script, and its logs in Slurm's words (%A, %a)."""

    job_id: int
    script: Path
    logs: str


def submit(job: ArrayJob) -> Submission:
    """Write the script beside the logs and hand it to sbatch.

    Raises
    ------
    InvalidInputError, NotFoundError
        Something is asked for that cannot be meant.
    JobFailedError
        There is no sbatch here, or it refused the job. Nothing was submitted, no script is left.
    """
    text = script_text(job)
    sbatch = which("sbatch")
    if sbatch is None:
        raise JobFailedError(
            "There is no sbatch on the PATH. Expected a machine that submits to Slurm. Run the "
            "command there, or take the script with --dry-run."
        )
    script = _write(job, text)
    # Given again as arguments, because SBATCH_PARTITION and the like in the environment would
    # stand above what the script says.
    command = [sbatch, "--parsable", *job.directives(), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    taken = _JOB_ID.search(done.stdout)
    if done.returncode or taken is None:
        script.unlink()
        words = (done.stderr + done.stdout).strip() or f"nothing, and ended with {done.returncode}"
        raise JobFailedError(
            f"Slurm did not take the job. Nothing was submitted. sbatch said:\n{words}\n"
            "Change what was asked for; --dry-run shows the script."
        )
    return Submission(int(taken[1]), script, str(job.logs))


def _write(job: ArrayJob, text: str) -> Path:
    """Write the script under a name of its own; without its folder Slurm would drop the logs."""
    job.folder.mkdir(parents=True, exist_ok=True)
    for script in _names(job):
        try:
            with script.open("x", encoding="utf-8") as stream:
                stream.write(text)
        except FileExistsError:
            continue
        return script
    raise AssertionError


def _names(job: ArrayJob) -> Iterator[Path]:
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    yield job.folder / f"{job.name}-{now}.sh"
    yield from (job.folder / f"{job.name}-{now}-{n}.sh" for n in count(2))
