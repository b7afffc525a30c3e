"""How large a batch must be on a CPU, in edges, until larger ones are no faster.

From here come the sizes a job begins with (`compute.worker.budget`).
"""

from __future__ import annotations

from benchmarks.contenders import NotInstalledError
from benchmarks.predicting import Case, evaluated, lake_of
from benchmarks.result import SPEED_READS, Result
from benchmarks.setting import Setting

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
        figures = evaluated(case, "loads", lake_of(case, n, folder), setting, LOADS)
    return [
        Result("batch-sizes", f"{case}, {load:,} edges", SPEED_READS, tuple(figures[str(load)]))
        for load in LOADS
    ]
