"""Comparing losses: from the lake to all tables of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.reader import Reader
from lake.rows.labelled_rows import choose_label_set
from queries.losses.caveats import (
    caveats_of_models,
    caveats_of_regions,
    caveats_of_schemes,
    caveats_of_training,
)
from queries.losses.models import choose_models
from queries.losses.pairs import paired_tests, seed_tests, unpaired_tests
from queries.losses.relations import SOURCES, ask_tables, make_relations
from queries.losses.result import LossComparison
from queries.losses.selection import Selection
from queries.losses.structures import check_regions, choose_structures
from queries.statements.session import Session


def compare(
    lake: Lake,
    *,
    dataset: str,
    label_set: str | None = None,
    where: str | None = None,
    limit: int | None = None,
    scheme: str = "legacy",
    models: Sequence[str] = (),
    losses: Sequence[str] = (),
    seeds: Sequence[int] = (),
    allow_partial: bool = False,
    rng_seed: int = 0,
) -> LossComparison:
    """Compare the force errors of losses near defects and far from them.

    Parameters
    ----------
    lake
        The lake, at any version.
    dataset
        Where the structures are.
    label_set
        Whose forces are the reference; the only one of the dataset by default.
    where
        SQL condition over the columns of structures and labels.
    limit
        The first so many structures in the order of their files, after `where`.
    scheme
        ``"legacy"`` or ``"sites"``: the family of region schemes, both in two and three regions.
    models
        Patterns of names; by default every model that has a loss and predictions of the dataset.
    losses, seeds
        Groups and seeds of models; all by default.
    allow_partial
        Compare the structures that have everything, where some do not.
    rng_seed
        Seed of the permutation tests and of the bootstrap.

    Raises
    ------
    NotFoundError
        There is no such dataset, label set, model or loss.
    InvalidInputError
        The condition is not SQL or selects nothing; a model has no loss, or shares it and its seed
        with another; there are no labels, or the regions were never computed; or something is
        missing and `allow_partial` is not given.
    """
    reader = lake.reader
    reference = choose_label_set(reader, label_set, dataset)
    if reference is None:
        raise InvalidInputError(
            f"Dataset {dataset!r} has no labels. Expected reference forces to compare predictions "
            "with. Ingest its structures with forces, or choose another dataset; 'atomlake info' "
            "lists them."
        )
    selection = Selection(
        dataset,
        reference,
        where,
        limit,
        scheme,
        tuple(models),
        tuple(losses),
        tuple(seeds),
        allow_partial,
    )
    check_regions(reader, selection)
    names, caveats = choose_models(reader, selection)
    with _session(reader, selection, names) as session:
        return _answer(reader, selection, session, caveats, rng_seed)


def _session(reader: Reader, selection: Selection, models: Sequence[str]) -> Session:
    """A session in which the structures that were chosen are known."""
    chosen, statement = choose_structures(reader, selection)
    parameters = {
        "dataset": selection.dataset,
        "label_set": selection.label_set,
        "two_regions": selection.two_regions,
        "three_regions": selection.three_regions,
        "limit": selection.limit,
        "models": list(models),
    }
    session = Session(reader, SOURCES, parameters)
    session.add_rows("chosen_structures", chosen, statement)
    return session


def _answer(
    reader: Reader, selection: Selection, session: Session, caveats: Sequence[str], rng_seed: int
) -> LossComparison:
    coverage, of_coverage = make_relations(session, selection)
    tables = ask_tables(session)
    errors = session.rows("structure_errors", "model, structure_idx")
    structures = session.rows("selected_structures", "structure_idx")
    runs = session.rows("linked_runs", "model")
    curves = session.rows("loss_curves", "loss, seed, model, curve, step")
    models = session.rows("selected_models", "loss, seed, model")
    return LossComparison(
        question=_question(models),
        selection=selection,
        lake_path=reader.storage.uri,
        lake_version=reader.state.version,
        tables={
            "selected_structures": structures,
            "coverage": coverage,
            **tables,
            "statistical_tests": unpaired_tests(errors),
            "paired_tests": paired_tests(errors, rng_seed),
            "seed_tests": seed_tests(errors),
        },
        statements=session.statements,
        models=models.join(runs.select("model", "project", "run_id"), on="model", how="left"),
        training=curves,
        warnings=(
            *of_coverage,
            *caveats_of_models(models),
            *caveats,
            *caveats_of_regions(errors),
            *caveats_of_schemes(tables["schemes"], models),
            *caveats_of_training(models, runs, curves),
        ),
    )


def _question(models: pl.DataFrame) -> str:
    losses = models["loss"].unique().sort().to_list()
    said = f"{', '.join(losses[:-1])} or {losses[-1]}" if len(losses) > 1 else losses[0]
    return f"Which force loss trains the better potential for defects and keeps the bulk: {said}?"
