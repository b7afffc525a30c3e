"""Registering a model: its checksum, what it says of itself, and one row in ``models``."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa

from compute.environments.checking import require_usable
from compute.environments.engine_packages import needed_packages
from compute.environments.environment import HERE
from compute.environments.registry import find_environment
from compute.models.description import describe
from compute.models.existing import GIVEN, check_parent, find_same
from compute.models.model import Model, Options, canonical_json, identity
from compute.models.model_file import absolute_path, checksum, verify_file
from compute.models.training_run import with_run
from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.log.data_files import DataFile, write_data_file
from lake.log.state import State
from lake.log.transaction import Changes
from lake.names import check_name
from lake.reader import Reader
from schemas import TABLES

MODELS = TABLES["models"]


def add_model(
    lake: Lake,
    name: str,
    *,
    engine: str,
    path: str,
    group: str | None = None,
    seed: int | None = None,
    parent: str | None = None,
    environment: str | None = None,
    options: Options | None = None,
    run: str | None = None,
) -> Model:
    """Register a model; one that is there already stays as it is.

    The file is loaded, which runs code from it.

    Parameters
    ----------
    engine
        ``mace``, ``nequip``, ``allegro`` or ``ase``.
    path
        The model file; of an ASE calculator ``package.module:Class`` or ``file.py:function``.
    group
        What the members of an ensemble share, e.g. the loss.
    parent
        The model this one was fine-tuned from, registered or not.
    environment
        Name of an environment of this machine; by default the interpreter that runs atomlake.
    options
        What the engine is given when it loads the model, e.g. a head of MACE or keywords of a
        calculator. They are part of the model's identity.
    run
        The training run the model came from: PROJECT/RUN_ID, RUN_ID, or a name that only one has.

    Raises
    ------
    InvalidInputError
        The name, the file, an option or the environment cannot be used; the name stands for
        another file, or the file has another name.
    NotFoundError
        There is no such engine, or no such environment on this machine.
    JobFailedError
        Loading the file failed.
    """
    draft = draft_model(name, engine, path, options or {}, environment)
    return register(lake, replace(draft, group=group, seed=seed, parent=parent, run_id=run))[0]


def draft_model(
    name: str, engine: str, path: str, options: Options, environment: str | None
) -> Model:
    """A model that was not loaded yet: where it lies, its checksum, and so its identity.

    Raises
    ------
    As `add_model`.
    """
    check_name("model", name)
    needed_packages(engine)
    canonical_json(options)
    place = absolute_path(engine, path)
    runs_in = find_environment(environment)
    sha256 = checksum(engine, place, runs_in)
    return Model(
        identity(sha256, options),
        name,
        engine,
        place,
        sha256,
        options,
        environment=None if runs_in.name == HERE else runs_in.name,
    )


def register(lake: Lake, draft: Model) -> tuple[Model, bool]:
    """Load a draft and register it; the model as it stands in the lake, and whether it is new.

    Raises
    ------
    As `add_model`.
    """
    check_seed(draft.seed)
    check_parent(lake.reader, draft.name, draft.parent)
    draft = with_run(lake.reader, draft)
    earlier = find_same(lake.reader, draft)
    if earlier is not None:
        return earlier, False
    model = _described(draft)
    files: list[DataFile] = []  # written once, however often the commit is tried
    others: list[Model] = []

    def plan(state: State) -> Changes | None:
        there = find_same(Reader(lake.storage, state), model)
        if there is not None:
            others.append(there)
            return None
        if not files:
            files.append(write_models(lake, [model.as_row()]))
        return Changes(added={MODELS.name: files}, still_valid=same_models)

    inputs = {model.path: model.sha256}
    lake.commit("model add", plan, arguments=_arguments(model), inputs=inputs)
    return (others[0], False) if others else (model, True)


def check_seed(seed: int | None) -> None:
    """Refuse a seed the table has no room for.

    Raises
    ------
    InvalidInputError
        It needs more than 64 bits.
    """
    if seed is not None and not -(2**63) <= seed < 2**63:
        raise InvalidInputError(f"Seed {seed}: expected a whole number of at most 64 bits.")


def write_models(lake: Lake, rows: list[dict[str, object]]) -> DataFile:
    """Write rows of ``models`` into one new file."""
    table = pa.Table.from_pylist(rows, schema=MODELS.file_arrow)
    return write_data_file(lake.storage, MODELS, {}, uuid.uuid4().hex, table)


def same_models(old: State, new: State) -> bool:
    """Whether nobody has changed the registered models."""
    return old.table(MODELS.name) == new.table(MODELS.name)


def _described(draft: Model) -> Model:
    """The model with what it says of itself, loaded from a file that did not change meanwhile."""
    environment = find_environment(draft.environment)
    require_usable(environment, draft.engine)
    facts = describe(environment, draft.engine, draft.path, draft.options)
    verify_file(draft, environment)
    return replace(draft, **vars(facts), added_at=datetime.now(UTC))


def _arguments(model: Model) -> Mapping[str, object]:
    said: dict[str, object] = {"model": model.name, "engine": model.engine, "path": model.path}
    said |= {name: getattr(model, name) for name in GIVEN}
    said["options"] = dict(model.options) or None
    return {name: value for name, value in said.items() if value is not None}
