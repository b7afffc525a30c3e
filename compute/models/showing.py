"""How a model is shown to people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from compute.models.catalogue import list_models
from compute.models.existing import GIVEN
from compute.models.model import Model
from lake.reader import Reader

if TYPE_CHECKING:
    import polars as pl
from lake.run_lookup import match_runs


def list_row(model: Model) -> dict[str, object]:
    """A model's line in the list."""
    return {
        "model": model.name,
        "engine": model.engine,
        "group": model.group,
        "seed": model.seed,
        "environment": model.environment or "here",
        "r_max [Å]": model.r_max,
        "dtype": model.dtype,
        "elements": _elements(model),
        "path": model.path,
    }


def facts_sentence(model: Model) -> str:
    """What its file says of a model, in a sentence."""
    facts = {
        "Elements": _elements(model),
        "cutoff": None if model.r_max is None else f"{model.r_max:g} Å",
        "weights": model.dtype,
        "parameters": None if model.n_parameters is None else f"{model.n_parameters:,}",
        "latents per layer": ", ".join(map(str, model.layers)) or "none",
    }
    return "; ".join(f"{k} {v}" for k, v in facts.items() if v is not None) + "."


def _elements(model: Model) -> str:
    return "any" if model.elements is None else " ".join(model.elements)


def said_sentence(model: Model) -> str:
    """What a user said of a model."""
    return ", ".join(f"{name} {value_text(getattr(model, name))}" for name in GIVEN)


def value_text(value: object) -> str:
    """A value in full; lists with spaces, objects as JSON."""
    match value:
        case None:
            return "NULL"
        case tuple():
            return " ".join(map(str, value)) or "none"
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def unknown_names(reader: Reader, model: Model) -> Iterator[str]:
    """What a user may want to mend: names that stand for nothing in the lake."""
    if model.parent is not None and model.parent not in {m.name for m in list_models(reader)}:
        yield f"The parent {model.parent} is not registered; it is kept as text."
    if model.run_id is not None and not match_runs(reader, model.run_id):
        yield f"The run {model.run_id} is not in the lake; it is kept as text."


def touched_datasets(reader: Reader, name: str) -> pl.DataFrame:
    """The coverage of the datasets in which a model has computed something."""
    import polars as pl

    from compute.jobs.coverage import coverage

    if not reader.files("structures"):
        return pl.DataFrame()
    touched = coverage(reader, models=[name]).filter(
        (pl.col("done") > 0) | (pl.col("failed") > 0) | (pl.col("latents") > 0)
    )
    return touched.drop("model")
