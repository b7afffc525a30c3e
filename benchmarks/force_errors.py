"""Force errors by model and region, and over whole structures: SQL on a lake, beside other ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import lake
from benchmarks import flat_forces, json_caches
from benchmarks.contenders import Contender, Figures, compare, stopwatch
from benchmarks.predicted_forces import ATOMS, DATASET, LABEL_SET, SCHEME, write_predicted_forces
from benchmarks.result import TIME, Goal, Quantity, Result
from benchmarks.setting import Setting
from queries.statements.statement import read_statement

SPEED_ATOMS = Quantity("speed", "M predicted atoms/s", is_better_larger=True)
N_MODELS = 6
TENTH = 10

# Error by (model, region), in eV/Å.
Errors = Mapping[tuple[str, str], float]


def measure(setting: Setting) -> list[Result]:
    """Thirty million predicted atoms; the earlier way, which is slow, gets a tenth of them."""
    n_structures = setting.size(50_000, 100)
    with setting.scratch() as folder:
        whole, tenth = folder / "lake", folder / "tenth"
        write_predicted_forces(lake.create(str(whole)), n_structures, N_MODELS)
        write_predicted_forces(lake.create(str(tenth)), n_structures // TENTH, N_MODELS)
        flat_forces.write(lake.open(str(whole)), folder / "flat")
        json_caches.write(lake.open(str(tenth)), folder / "caches")
        right, right_of_tenth = region_errors(whole), region_errors(tenth)
        atoms = N_MODELS * n_structures * ATOMS
        by_region = [
            Contender(
                "SQL on the lake, by region",
                answering(lambda: region_errors(whole), right, atoms),
                {TIME: Goal(most=1.5)},
            ),
            Contender(
                "pandas on flat Parquet",
                answering(lambda: flat_forces.errors(folder / "flat"), right, atoms),
            ),
            Contender(
                "JSON caches, numpy per structure, a tenth",
                answering(
                    lambda: json_caches.errors(folder / "caches"), right_of_tenth, atoms // TENTH
                ),
            ),
        ]
        over_all = Contender(
            "SQL on the lake, whole structures",
            answering(lambda: rmse(whole), rmse(whole), atoms),
            {TIME: Goal(most=0.6)},
        )
        return [
            *compare("force-errors", by_region, setting),
            *compare("force-errors", [over_all], setting),
        ]


def answering(ask: Callable[[], Errors], right: Errors, atoms: int) -> Callable[[Path], Figures]:
    """A contender that must give the right numbers."""

    def measure_once(_: Path) -> Figures:
        with stopwatch() as watch:
            errors = ask()
        if errors.keys() != right.keys() or any(
            abs(errors[key] - right[key]) > 1e-9 for key in right
        ):
            raise RuntimeError(f"{errors} was computed, and {right} expected.")
        return {TIME: watch.seconds, SPEED_ATOMS: atoms / 1e6 / watch.seconds}

    return measure_once


def region_errors(place: Path) -> Errors:
    """Mean norm of the error by model and region, from opening the lake on."""
    parameters = {"dataset": DATASET, "label_set": LABEL_SET, "scheme": SCHEME}
    statement = read_statement("errors", "force_errors_by_region")
    rows = lake.open(str(place)).sql(statement.text, parameters).fetchall()
    return {(model, region): mae for model, region, _, mae, _ in rows}


def rmse(place: Path) -> Errors:
    """Component RMSE by model, from opening the lake on."""
    statement = read_statement("errors", "force_rmse")
    parameters = {"dataset": DATASET, "label_set": LABEL_SET}
    rows = lake.open(str(place)).sql(statement.text, parameters).fetchall()
    return {(model, "all"): error for model, _, _, error in rows}
