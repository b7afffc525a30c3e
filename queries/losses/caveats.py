"""What whoever reads the numbers of a comparison must know."""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl

from queries.losses.pairs import LEAST_SEEDS

NAMED = 6
SAME_CUTOFF = 1e-6  # Å


def caveats_of_models(models: pl.DataFrame) -> Iterator[str]:
    """Few seeds, other seeds, one loss, parents.

    Parameters
    ----------
    models
        ``loss``, ``seed``, ``model`` and ``parent``, one row per model.
    """
    by_loss = {str(loss): part for (loss,), part in models.group_by("loss", maintain_order=True)}
    if len(by_loss) == 1:
        yield f"There is one loss, {next(iter(by_loss))}: nothing to compare it with."
    single = [loss for loss, part in by_loss.items() if len(part) == 1]
    if single:
        yield (
            f"One seed only of {', '.join(single)}: no spread over seeds is known, and a "
            "difference between losses may be one between seeds."
        )
    few = [loss for loss, part in by_loss.items() if 1 < len(part) < LEAST_SEEDS]
    if few:
        yield (
            f"Less than {LEAST_SEEDS} seeds of {', '.join(few)}: seeds are not tested as "
            "replicates, and their spread is uncertain."
        )
    seeds = {loss: part["seed"].to_list() for loss, part in by_loss.items()}
    if len({tuple(each) for each in seeds.values()}) > 1:
        said = "; ".join(f"{loss} {', '.join(map(str, each))}" for loss, each in seeds.items())
        yield f"The losses do not have the same seeds: {said}."
    parents = models.filter(pl.col("parent").is_not_null())
    if len(parents):
        said = _listed([f"{m} from {p}" for m, p in parents.select("model", "parent").iter_rows()])
        yield f"Fine-tuned: {said}. Models of one parent are not independent."


def caveats_of_regions(errors: pl.DataFrame) -> Iterator[str]:
    """Structures without a region of some name.

    Parameters
    ----------
    errors
        ``model``, ``structure_idx`` and ``n_<region>``, one row per model and structure.
    """
    once = errors.unique("structure_idx")
    names = {"n_defect": "defect", "n_bulk": "bulk (of two regions)", "n_core": "core"}
    names |= {"n_shell": "shell", "n_outer": "bulk (of three regions)"}
    for column, name in names.items():
        empty = once.filter(pl.col(column) == 0).height
        if empty:
            yield f"No atoms in the region {name}: {empty} of {once.height} structures."


def caveats_of_schemes(schemes: pl.DataFrame, models: pl.DataFrame) -> Iterator[str]:
    """Regions made in several ways, not at all, or for models of another cutoff.

    Parameters
    ----------
    schemes
        The table of that name.
    models
        ``model`` and ``r_max``, one row per model.
    """
    for (scheme,), part in schemes.group_by("scheme", maintain_order=True):
        if len(part) > 1:
            counts = ", ".join(map(str, part["n_structures"]))
            yield (
                f"The regions of {scheme} were made in {len(part)} ways, of {counts} structures: "
                "versions or parameters differ. See the table schemes."
            )
    without = max(schemes["n_without_regions"].to_list(), default=0)
    if without:
        yield (
            f"Structures of which the scheme says nothing: {without}. Their atoms count to all "
            "atoms alone."
        )
    for cutoff in sorted(_cutoffs(schemes)):
        other = models.filter((pl.col("r_max") - cutoff).abs() > SAME_CUTOFF)
        if len(other):
            said = [f"{name} {r_max:g} Å" for name, r_max in other.select("model", "r_max").rows()]
            yield (
                f"The bulk of three regions begins {cutoff:g} Å from the defect, but the cutoff of "
                f"models is another: {_listed(said)}. A model sees no defect beyond its cutoff."
            )


def _cutoffs(schemes: pl.DataFrame) -> set[float]:
    parameters = [json.loads(text) for text in schemes["parameters"].drop_nulls()]
    return {float(each["model_cutoff"]) for each in parameters if "model_cutoff" in each}


def caveats_of_training(
    models: pl.DataFrame, runs: pl.DataFrame, curves: pl.DataFrame
) -> Iterator[str]:
    """Runs that are not known, not finished, or say nothing.

    Parameters
    ----------
    models
        ``model``, one row per model.
    runs
        ``model``, ``n_candidates``, ``candidates``, ``run_name`` and ``state``, one row per model
        with a run.
    curves
        ``model`` and ``curve``, one row per number logged.
    """
    for row in runs.filter(pl.col("n_candidates") > 1).iter_rows(named=True):
        yield (
            f"{row['n_candidates']} runs could be that of {row['model']}: "
            f"{_listed(row['candidates'])}. None is taken. Say which with: "
            f"atomlake model edit {row['model']} --run {row['candidates'][0]}"
        )
    without = models.join(runs, on="model", how="anti")["model"].sort().to_list()
    if without:
        yield f"No training run is known of {_listed(without)}: no curves."
    known = runs.filter(pl.col("n_candidates") == 1)
    unsaid = (
        known.filter(pl.col("state").fill_null("unknown") == "unknown")["model"].sort().to_list()
    )
    if unsaid:
        yield (
            f"Whether training ended is not logged for {_listed(unsaid)}: last values are those "
            "logged so far."
        )
    for row in known.filter(~pl.col("state").is_in(["finished", "unknown"])).iter_rows(named=True):
        yield (
            f"The run {row['run_name']} of {row['model']} did not finish (state {row['state']}): "
            "its last values are those logged so far."
        )
    validated = curves.filter(curve="validation_loss")
    silent = known.join(validated, on="model", how="anti")["model"].sort().to_list()
    if silent:
        yield f"No validation loss was logged for {_listed(silent)}."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
