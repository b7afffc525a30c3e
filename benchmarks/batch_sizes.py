"""How large a batch must be on a CPU, in edges, until larger ones are no faster.

From here come the sizes a job begins with (`compute.worker.budget`).
"""

from __future__ import annotations

import json
import os
import subprocess

from benchmarks.contenders import NotInstalledError
from benchmarks.predicting import Case, lake_of, python
from benchmarks.result import SPEED_READS, Result
from benchmarks.setting import Setting
from compute.jobs.worker_process import ALLOCATOR

LOADS = (500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000)


def measure(setting: Setting) -> list[Result]:
    """Structures per second of bare batches of each size."""
    results = []
    for engine in ("mace", "nequip", "allegro"):
        for dataset, n in (("molecules", setting.size(600, 4)), ("cells", setting.size(24, 1))):
            case = Case(engine, dataset)
            try:
                results += _of(case, n, setting)
            except NotInstalledError as error:
                results.append(Result("batch-sizes", str(case), None, note=str(error)))
    return results


def _of(case: Case, n: int, setting: Setting) -> list[Result]:
    with setting.scratch() as folder:
        words = [lake_of(case, n, folder), case.engine, case.dataset, str(setting.repeats)]
        done = subprocess.run(
            [str(python(case.engine)), "-m", "benchmarks.evaluation", "loads", *words]
            + [str(load) for load in LOADS],
            env=os.environ | ALLOCATOR,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    figures = json.loads(done.stdout.splitlines()[-1])["figures"]
    return [
        Result("batch-sizes", f"{case}, {load:,} edges", SPEED_READS, tuple(figures[str(load)]))
        for load in LOADS
    ]
