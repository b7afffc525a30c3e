"""The script of an array job, as text."""

from __future__ import annotations

import shlex

from compute.slurm.array_job import ArrayJob
from lake.version import __version__


def script_text(job: ArrayJob) -> str:
    """The script for sbatch.

    The command takes the place of the shell, so that the signal before the time limit reaches it:
    bash would wait for its child before it heard the signal.

    Raises
    ------
    InvalidInputError, NotFoundError
        Something is asked for that cannot be meant.
    """
    lines = [
        "#!/bin/bash",
        *(f"#SBATCH {shlex.quote(directive)}" for directive in job.directives()),
        "",
        f"# Written by atomlake {__version__}. What the lake holds is left alone, so submit this",
        "# again, as often as needed, whole or in part: sbatch --array=2,5 SCRIPT",
        "set -e",
        *_environment(job),
        *job.setup,
        "set -uo pipefail  # not before: what a site sets up with may use variables that are unset",
        f'echo "Shard $SLURM_ARRAY_TASK_ID/{job.n_shards} on $(hostname), $(date +%FT%T%z)"',
        f'exec {shlex.join(job.command)} --shard "$SLURM_ARRAY_TASK_ID/{job.n_shards}"',
    ]
    return "\n".join(lines) + "\n"


def _environment(job: ArrayJob) -> list[str]:
    """What the libraries under the command read, before the set-up, which may change it."""
    n_cpus = "SLURM_CPUS_PER_TASK" if "cpus-per-task" in job.options else "SLURM_CPUS_ON_NODE"
    lines = [
        f'export OMP_NUM_THREADS="${{{n_cpus}:-1}}"',
        'export MKL_NUM_THREADS="$OMP_NUM_THREADS"',
    ]
    if "gpus" in job.options:
        # Batches differ in size, and fixed segments would leave holes between them.
        lines.append("export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True")
    return lines
