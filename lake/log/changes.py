"""What one operation does to the tables of a lake."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lake.log.data_files import DataFile
from lake.log.state import State
from schemas import TABLES


@dataclass(frozen=True)
class Operation:
    """What is being done, for the row in ``commits``."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    operation_id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class Changes:
    """Data files an operation adds to tables and removes from them.

    ``closes`` names entries of tables that stay out of the lake for ever. ``still_valid(old, new)``
    says whether the changes, planned on one version of the lake, may follow a newer one.
    """

    added: Mapping[str, Sequence[DataFile]] = field(default_factory=dict)
    removed: Mapping[str, Sequence[DataFile]] = field(default_factory=dict)
    closes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    still_valid: Callable[[State, State], bool] | None = None

    @property
    def tables(self) -> list[str]:
        """Names of the tables changed, in the order in which they are committed."""
        return [t for t in TABLES if self.added.get(t) or self.removed.get(t)]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not self.tables and not any(self.closes.values())
