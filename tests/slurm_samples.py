"""Array jobs for tests, and running their scripts as a node would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from compute.slurm.array_job import ArrayJob

TELLS = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"
HOSTILE = ["a b", "it's", '"x"', "$HOME", "`id`", "\\", "é;|&#", "*", "--", ""]


def array_job(folder: Path, **fields: object) -> ArrayJob:
    values: dict[str, object] = {"command": (sys.executable, "-c", TELLS), "n_shards": 3}
    return ArrayJob(folder=folder, **(values | fields))  # type: ignore[arg-type]


def run_script(
    text: str, folder: Path, **environment: str
) -> tuple[int, list[str], Mapping[str, str], str]:
    """Run a script as a node would; exit code, arguments and environment of the command, output."""
    script = folder / "script.sh"
    script.write_text(text)
    slurm = {"PATH": os.environ["PATH"], "SLURM_ARRAY_TASK_ID": "2", "SLURM_CPUS_ON_NODE": "4"}
    done = subprocess.run(
        ["bash", str(script)], env=slurm | environment, capture_output=True, text=True, check=False
    )
    last = done.stdout.splitlines()[-1:] or [""]
    told = json.loads(last[0]) if last[0].startswith("[") else [[], {}]
    return done.returncode, told[0], told[1], done.stdout + done.stderr
