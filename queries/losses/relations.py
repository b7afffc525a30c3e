"""What a comparison of losses asks, and in which order."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import polars as pl

from queries.losses.coverage import check_coverage
from queries.losses.selection import Selection
from queries.statements.session import Session
from queries.statements.statement import Statement, read_statement

SOURCES = (
    "structures",
    "sources",
    "labels",
    "predictions",
    "regions",
    "models",
    "runs",
    "training_history",
    "model_runs",
)
# What other statements read, in the order in which they read each other.
ERRORS = (
    "selected_structures",
    "selected_models",
    "region_bits",
    "atom_regions",
    "force_differences",
    "atom_errors",
    "error_sums",
    "used_structures",
)
VIEWS = ("region_errors", "structure_errors", "model_means", "mean_prediction_errors", "curve_keys")
NOT_KEPT = {"force_differences"}  # large, and read twice
RUNS = ("linked_runs", "loss_curves")
# Tables of the result; coverage comes before them.
TABLES = (
    "schemes",
    "detailed_results",
    "summary_statistics",
    "3region_detailed_results",
    "3region_summary",
    "ensemble_summary",
    "errors_by_model",
    "errors_by_loss",
    "ratios_by_loss",
    "mean_prediction_results",
    "reproducibility",
    "error_histogram",
    "error_quantiles",
    "training_summary",
)
# Long, but nothing is added up, so that threads may share it.
SHARED = {"atom_regions", "atom_errors", "error_histogram", "error_quantiles", "loss_curves"}


def make_relations(session: Session, selection: Selection) -> tuple[pl.DataFrame, list[str]]:
    """Make what the tables are asked of; the table coverage, and what must be said of it.

    Raises
    ------
    InvalidInputError
        Something is missing that was not allowed to be.
    """
    for name in ERRORS:
        make = session.define if name in NOT_KEPT else session.keep
        with _threads(session, name):
            make(statement(name))
    coverage = session.ask(statement("coverage"))
    caveats = check_coverage(coverage, selection)
    with session.one_thread():
        session.keep(statement("mean_prediction_sums"))
        for name in VIEWS:  # kept, because nearly every table reads them
            session.keep(read_statement("views", name))
    for name in RUNS:
        with _threads(session, name):
            session.keep(statement(name))
    return coverage, caveats


def ask_tables(session: Session) -> dict[str, pl.DataFrame]:
    """The tables of the result that are asked of the relations, by name."""
    tables = {}
    for name in TABLES:
        with _threads(session, name):
            tables[name] = session.ask(statement(name))
    return tables


def statement(name: str) -> Statement:
    """The statement of this question that is called `name`."""
    return read_statement("losses", name)


def _threads(session: Session, name: str) -> AbstractContextManager[None]:
    return nullcontext() if name in SHARED else session.one_thread()
