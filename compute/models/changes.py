"""Changing what the lake says of a model, and taking a model out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from compute.environments.checking import require_usable
from compute.environments.environment import HERE
from compute.environments.registry import find_environment
from compute.models.catalogue import find_model
from compute.models.existing import GIVEN, check_parent
from compute.models.model import Model
from compute.models.model_file import absolute_path, verify_file
from compute.models.registration import MODELS, check_seed, same_models, write_models
from compute.models.training_run import link_to_run
from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.log.data_files import DataFile
from lake.log.state import State
from lake.log.transaction import Changes
from lake.reader import Reader

RESULTS = ("predictions", "embeddings")


def move_model(lake: Lake, name: str, path: str) -> Model:
    """Say that the file of a model lies elsewhere now.

    Raises
    ------
    NotFoundError
        There is no such model.
    InvalidInputError
        The file at `path` is not the one that was registered.
    """
    model = find_model(lake.reader, name)
    moved = replace(model, path=absolute_path(model.engine, path))
    verify_file(moved, find_environment(model.environment))

    def change(now: Model) -> Model:
        if now.sha256 != moved.sha256:
            raise InvalidInputError(
                f"Another {name} was registered meanwhile. Look, and try again."
            )
        return replace(now, path=moved.path)

    return _change(lake, "model move", name, change, {"path": moved.path})


def edit_model(lake: Lake, name: str, values: Mapping[str, Any]) -> Model:
    """Change what a user said of a model.

    Parameters
    ----------
    values
        Any of ``group``, ``seed``, ``parent``, ``environment`` and ``run_id``; None takes one away.

    Raises
    ------
    NotFoundError
        There is no such model, or no such environment on this machine.
    InvalidInputError
        Something else would be changed, the environment cannot run the model, or it would be
        fine-tuned from itself.
    """
    fixed = sorted(set(values) - set(GIVEN))
    if fixed:
        raise InvalidInputError(
            f"{', '.join(fixed)} of a model cannot be changed. Expected any of {', '.join(GIVEN)}. "
            "Register another model instead."
        )
    if "environment" in values:
        environment = find_environment(values["environment"])
        require_usable(environment, find_model(lake.reader, name).engine)
        in_table = None if environment.name == HERE else environment.name
        values = {**values, "environment": in_table}
    if "run_id" in values:
        values = {**values, **link_to_run(lake.reader, values["run_id"])}
    check_seed(values.get("seed"))
    check_parent(lake.reader, name, values.get("parent"))
    return _change(lake, "model edit", name, lambda now: replace(now, **values), values)


def remove_model(lake: Lake, name: str) -> Model:
    """Take a model out that has computed nothing; its file stays.

    Raises
    ------
    NotFoundError
        There is no such model.
    InvalidInputError
        There are predictions or latents of it.
    """
    gone: list[Model] = []

    def plan(state: State) -> Changes:
        reader = Reader(lake.storage, state)
        gone[:] = [find_model(reader, name)]
        _require_no_results(reader, name)
        added, removed = _rewritten(lake, reader, name, lambda _: None)
        return Changes(added=added, removed=removed, still_valid=_same_results)

    lake.commit("model remove", plan, arguments={"model": name})
    return gone[0]


def _change(
    lake: Lake,
    operation: str,
    name: str,
    change: Callable[[Model], Model],
    arguments: Mapping[str, object],
) -> Model:
    """Replace the row of a model; what it is then."""
    result: list[Model] = []

    def plan(state: State) -> Changes | None:
        reader = Reader(lake.storage, state)
        now = find_model(reader, name)
        result[:] = [change(now)]
        if result[0] == now:
            return None
        added, removed = _rewritten(lake, reader, name, change)
        return Changes(added=added, removed=removed, still_valid=same_models)

    lake.commit(operation, plan, arguments={"model": name, **arguments})
    return result[0]


Files = dict[str, list[DataFile]]


def _rewritten(
    lake: Lake, reader: Reader, name: str, change: Callable[[Model], Model | None]
) -> tuple[Files, Files]:
    """Files of ``models`` to add and to remove, so that the row of one model is another or none."""
    rows: list[dict[str, object]] = []
    removed = []
    for file in reader.files(MODELS.name):
        of_file = reader.columns(MODELS.name, [file], MODELS.file_arrow.names).to_pylist()
        if all(row["model"] != name for row in of_file):
            continue
        removed.append(file)
        for row in of_file:
            model = Model.from_row(row)
            changed = model if model.name != name else change(model)
            if changed is not None:
                rows.append(changed.as_row())
    added = {MODELS.name: [write_models(lake, rows)]} if rows else {}
    return added, {MODELS.name: removed}


def _require_no_results(reader: Reader, name: str) -> None:
    datasets = {
        f.partition["dataset"] for table in RESULTS for f in reader.files(table, model=name)
    }
    if datasets:
        drops = "".join(f"\n  atomlake drop predictions {d} {name}" for d in sorted(datasets))
        raise InvalidInputError(
            f"{name} has predictions or latents in {', '.join(sorted(datasets))}. A model goes "
            f"after what it computed. First:{drops}"
        )


def _same_results(old: State, new: State) -> bool:
    return same_models(old, new) and all(old.table(t) == new.table(t) for t in RESULTS)
