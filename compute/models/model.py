"""A registered model: one row of the table ``models``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lake.errors import InvalidInputError

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Model:
    """A trained network or another calculator, as the table ``models`` has it.

    ``options`` are the settings it is loaded with and part of its identity. ``environment`` is None
    for the interpreter that runs atomlake. ``r_max`` is the cutoff in Å; ``elements`` are chemical
    symbols, None where any may be given; ``layers`` the width of the latent of each layer.
    """

    model_id: int
    name: str
    engine: str
    path: str
    sha256: str
    options: Options = field(default_factory=dict)
    group: str | None = None
    seed: int | None = None
    parent: str | None = None
    environment: str | None = None
    r_max: float | None = None
    dtype: str | None = None
    elements: tuple[str, ...] | None = None
    n_parameters: int | None = None
    layers: tuple[int, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    run_id: str | None = None
    run_project: str | None = None
    added_at: datetime | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Model:
        """The model of a row of ``models``."""
        fields = {"name" if key == "model" else key: value for key, value in row.items()}
        fields["options"] = json.loads(row["options"] or "{}")
        fields["config"] = json.loads(row["config"] or "{}")
        fields["elements"] = None if row["elements"] is None else tuple(row["elements"])
        fields["layers"] = tuple(row["layers"] or ())
        return cls(**fields)

    def as_dict(self) -> dict[str, Any]:
        """What is known of it, under the names of the columns."""
        return {"model" if key == "name" else key: value for key, value in vars(self).items()}

    def as_row(self) -> dict[str, Any]:
        """The row of ``models``."""
        row = self.as_dict()
        row["options"] = canonical_json(self.options) if self.options else None
        row["config"] = canonical_json(self.config)
        return row


def identity(sha256: str, options: Options) -> int:
    """The identity of a model: the first 64 bits of its checksum, as a signed integer.

    Options change what is computed, so with options they are those of the sha256 of
    ``<checksum>\\n<options as canonical JSON>``.

    Examples
    --------
    >>> identity("00000000000000ff" + "0" * 48, {})
    255
    >>> identity("f" * 64, {})
    -1
    """
    text = sha256
    if options:
        text = hashlib.sha256(f"{sha256}\n{canonical_json(options)}".encode()).hexdigest()
    return int.from_bytes(bytes.fromhex(text[:16]), "big", signed=True)


def canonical_json(value: Mapping[str, Any]) -> str:
    """An object as JSON in one way only: keys sorted, no spaces.

    Raises
    ------
    InvalidInputError
        JSON has no such value, e.g. NaN.
    """
    try:
        return json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"{value}: {error}. Expected what JSON can hold: text, finite numbers, true, false, "
            "null, and lists and objects of them. Give the value as one of these."
        ) from error
