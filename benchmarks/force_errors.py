"""Force errors by model and region, and over whole structures: SQL on a lake, beside other ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import duckdb

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

T = TypeVar("T")
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
        right = region_errors(connect(whole))
        right_of_tenth = region_errors(connect(tenth))
        atoms = N_MODELS * n_structures * ATOMS
        by_region = [
            Contender(
                "SQL on the lake, by region",
                answering(lambda: connect(whole), region_errors, right, atoms),
                {TIME: Goal(most=1.5)},
            ),
            Contender(
                "pandas on flat Parquet",
                answering(lambda: folder / "flat", flat_forces.errors, right, atoms),
            ),
            Contender(
                "JSON caches, numpy per structure, a tenth",
                answering(
                    lambda: folder / "caches", json_caches.errors, right_of_tenth, atoms // TENTH
                ),
            ),
        ]
        over_all = Contender(
            "SQL on the lake, whole structures",
            answering(lambda: connect(whole), rmse, rmse(connect(whole)), atoms),
            {TIME: Goal(most=0.6)},
        )
        return [
            *compare("force-errors", by_region, setting),
            *compare("force-errors", [over_all], setting),
        ]


def answering(
    start: Callable[[], T], ask: Callable[[T], Errors], right: Errors, atoms: int
) -> Callable[[Path], Figures]:
    """A contender that must give the right numbers; the time is that of `ask`."""

    def measure_once(_: Path) -> Figures:
        started = start()
        with stopwatch() as watch:
            errors = ask(started)
        if errors.keys() != right.keys() or any(
            abs(errors[key] - right[key]) > 1e-9 for key in right
        ):
            raise RuntimeError(f"{errors} was computed, and {right} expected.")
        return {TIME: watch.seconds, SPEED_ATOMS: atoms / 1e6 / watch.seconds}

    return measure_once


def connect(place: Path) -> duckdb.DuckDBPyConnection:
    """A connection that has read nothing yet."""
    return lake.open(str(place)).connect()


def region_errors(connection: duckdb.DuckDBPyConnection) -> Errors:
    """Mean norm of the error by model and region."""
    parameters = {"dataset": DATASET, "label_set": LABEL_SET, "scheme": SCHEME}
    statement = read_statement("errors", "force_errors_by_region")
    rows = connection.sql(statement.text, params=parameters).fetchall()
    return {(model, region): mae for model, region, _, mae, _ in rows}


def rmse(connection: duckdb.DuckDBPyConnection) -> Errors:
    """Component RMSE by model."""
    parameters = {"dataset": DATASET, "label_set": LABEL_SET}
    statement = read_statement("errors", "force_rmse")
    rows = connection.sql(statement.text, params=parameters).fetchall()
    return {(model, "all"): error for model, _, _, error in rows}
