"""What a model is compared with: those that are registered already."""

from __future__ import annotations

from compute.models.catalogue import list_models
from compute.models.model import Model, canonical_json
from lake.errors import InvalidInputError
from lake.reader import Reader

# What a user says of a model, and may change.
GIVEN = ("group", "seed", "parent", "environment", "run_id")


def find_same(reader: Reader, model: Model) -> Model | None:
    """The model in the lake, where it is there with the same attributes.

    Raises
    ------
    InvalidInputError
        Its name or its file is taken, or its attributes differ.
    """
    for other in list_models(reader):
        if other.model_id == model.model_id and other.name != model.name:
            raise InvalidInputError(
                f"{model.path} is registered already, as {other.name}. A file has one name. "
                f"Use {other.name}."
            )
        if other.name == model.name:
            _require_same(other, model)
            return other
    return None


def _require_same(there: Model, new: Model) -> None:
    if there.model_id != new.model_id:
        raise InvalidInputError(
            f"{new.name} stands for another model already: {_source(there)}, and this is "
            f"{_source(new)}. A name means one file and its options. Choose another name."
        )
    if there.path != new.path:
        raise InvalidInputError(
            f"{new.name} is registered already, with the same file at {there.path}. A model is "
            f"loaded from one place. If it was moved: atomlake model move {new.name} {new.path}"
        )
    fields = ("engine", *GIVEN)
    differ = [f for f in fields if getattr(there, f) != getattr(new, f)]
    if differ:
        said = ", ".join(f"{f} {_shown(there, f)}, not {_shown(new, f)}" for f in differ)
        raise InvalidInputError(
            f"{new.name} is registered already, with {said}. To change what is said of it: "
            f"atomlake model edit {new.name}"
        )


def _shown(model: Model, field: str) -> str:
    value = getattr(model, field)
    return "none" if value is None else repr(value)


def _source(model: Model) -> str:
    options = f" with {canonical_json(model.options)}" if model.options else ""
    return f"{model.path}{options} (sha256 {model.sha256[:16]}…)"


def check_parent(reader: Reader, name: str, parent: str | None) -> None:
    """Refuse a model that would be fine-tuned from itself, also by way of others.

    Raises
    ------
    InvalidInputError
        It would.
    """
    parents = {model.name: model.parent for model in list_models(reader)}
    chain = [name]
    while parent is not None and parent not in chain[1:]:
        chain.append(parent)
        if parent == name:
            raise InvalidInputError(
                f"--parent {chain[1]}: {' from '.join(chain)}, each fine-tuned from the next, "
                "would be a circle. Expected a model that was trained before. Name another, or "
                "leave it out."
            )
        parent = parents.get(parent)
