"""What decides what comes out of a file of predictions, and what it is matched to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.labels.units import SourceUnits
from ingest.sources.inputs import Input
from lake.errors import InvalidInputError, NotFoundError
from lake.reader import Reader

FORMATS = ("extxyz", "json")


@dataclass(frozen=True)
class PredictionOptions:
    """How files are read. ``datasets`` are those named; none stands for all."""

    model: str
    file_format: str
    datasets: tuple[str, ...]
    key_map: Mapping[str, str]
    units: Sequence[str]

    @property
    def source_format(self) -> str:
        """The format as it stands with every source, apart from files of structures."""
        return f"predictions {self.file_format}"

    @property
    def source_units(self) -> dict[str, str]:
        """The units that were given, by quantity."""
        return SourceUnits.parse(self.units).as_dict()

    def as_dict(self) -> dict[str, object]:
        """The options that decide what comes out of a file."""
        return {
            "model": self.model,
            "datasets": sorted(self.datasets),
            "map": dict(self.key_map),
            "units": sorted(self.units),
        }

    def as_json(self) -> str:
        """The options, as they are kept with every source."""
        return json.dumps(self.as_dict(), sort_keys=True)


def find_model(reader: Reader, name: str) -> int:
    """The model_id of a registered model.

    Raises
    ------
    NotFoundError
        No model has this name.
    InvalidInputError
        Several have it.
    """
    models = reader.columns("models", reader.files("models"), ("model", "model_id")).to_pylist()
    ids = {row["model_id"] for row in models if row["model"] == name}
    if not ids:
        error = NotFoundError.among("model", name, {row["model"] for row in models})
        raise NotFoundError(f"{error} Register it first: atomlake model add {name} …")
    if len(ids) > 1:
        raise InvalidInputError(
            f"{len(ids)} models are called {name!r}. One expected, so that it is clear whose "
            "predictions these are. Give the models names of their own."
        )
    return int(ids.pop())


def find_datasets(reader: Reader, named: Sequence[str]) -> list[str]:
    """The datasets to match with: those named, or all.

    Raises
    ------
    NotFoundError
        A dataset has no structures.
    InvalidInputError
        There are no structures at all.
    """
    known = sorted({file.partition["dataset"] for file in reader.files("structures")})
    if not known:
        raise InvalidInputError(
            f"{reader.storage.uri} holds no structures, and predictions are matched to them. "
            "Ingest the structures first."
        )
    for name in named:
        if name not in known:
            raise NotFoundError.among("dataset", name, known)
    return list(dict.fromkeys(named)) or known


def find_format(inputs: Sequence[Input], named: str | None) -> str:
    """The format of the files: the one named, or else by their endings.

    Raises
    ------
    InvalidInputError
        There is no such format, or the endings stand for both.
    """
    if named is not None:
        if named not in FORMATS:
            raise NotFoundError.among("format of predictions", named, FORMATS)
        return named
    found = {"json" if item.name.endswith(".json") else "extxyz" for item in inputs}
    if len(found) > 1:
        raise InvalidInputError(
            "Some files end in .json and some do not. One format at a time expected. "
            "Give a command each, or --format."
        )
    return found.pop()
