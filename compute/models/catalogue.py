"""Reading registered models: all, one by its name, or those that match patterns."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from compute.models.model import Model
from lake.errors import NotFoundError
from lake.reader import Reader

_WILDCARDS = frozenset("*?[")


def list_models(reader: Reader) -> list[Model]:
    """The registered models, by name."""
    rows = reader.scan("models").sort("model").collect().iter_rows(named=True)
    return [Model.from_row(row) for row in rows]


def find_model(reader: Reader, name: str) -> Model:
    """The model called `name`.

    Raises
    ------
    NotFoundError
        There is none.
    """
    models = list_models(reader)
    for model in models:
        if model.name == name:
            return model
    raise _unknown("model", name, models)


def match_models(reader: Reader, patterns: Sequence[str]) -> list[Model]:
    """The models whose names match any of some patterns such as ``mace-*``, by name, each once.

    Raises
    ------
    NotFoundError
        A pattern matches none.
    """
    models = list_models(reader)
    matched: set[str] = set()
    for pattern in patterns:
        found = [model.name for model in models if fnmatchcase(model.name, pattern)]
        if not found:
            kind = "model matching the pattern" if _WILDCARDS & set(pattern) else "model"
            raise _unknown(kind, pattern, models)
        matched.update(found)
    return [model for model in models if model.name in matched]


def _unknown(kind: str, name: str, models: Sequence[Model]) -> NotFoundError:
    error = NotFoundError.among(kind, name, [model.name for model in models])
    return error if models else NotFoundError(f"{error} Register one with atomlake model add.")
