"""The training run a model came from, as the lake knows it."""

from __future__ import annotations

from dataclasses import replace

from compute.models.model import Model
from lake.reader import Reader
from lake.run_lookup import ambiguous, match_runs

Link = dict[str, str | None]


def link_to_run(reader: Reader, text: str | None) -> Link:
    """``run_id`` and ``run_project`` of the run a text means: an identity or a name.

    A run that is not in the lake yet is kept as text.

    Raises
    ------
    InvalidInputError
        It may be several runs; all are listed.
    """
    if text is None:
        return {"run_id": None, "run_project": None}
    found = match_runs(reader, text)
    if len(found) > 1:
        raise ambiguous(text, found)
    if not found:
        return {"run_id": text, "run_project": None}
    return {"run_id": found[0].run_id, "run_project": found[0].project}


def with_run(reader: Reader, model: Model) -> Model:
    """The model, its run as the lake knows it.

    Raises
    ------
    As `link_to_run`.
    """
    if model.run_id is None or model.run_project is not None:
        return model
    link = link_to_run(reader, model.run_id)
    return replace(model, run_id=link["run_id"], run_project=link["run_project"])
