"""What a table is: columns with type, unit and meaning, declared once as frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """One column of a table.

    ``unit`` is None for what has no unit. ``per_atom`` says that every list in the column has one
    entry per atom, so that its length must equal ``n_atoms`` of the row.
    """

    name: str
    type: pa.DataType
    doc: str
    unit: str | None = None
    required: bool = False
    per_atom: bool = False


@dataclass(frozen=True)
class Table:
    """One table of the lake; Arrow schema, validation and documentation derive from it.

    ``grain`` names the columns that identify a row, ``partition`` those that cut the table into
    folders, and ``sort_by`` the order in which ``optimize`` lays rows down.
    """

    name: str
    doc: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    partition: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = field(default=())

    @cached_property
    def arrow(self) -> pa.Schema:
        """All columns, partition columns included, in declared order."""
        return pa.schema([pa.field(c.name, c.type) for c in self.columns])

    @cached_property
    def file_arrow(self) -> pa.Schema:
        """The columns that stand in the data files: all but the partition columns."""
        return pa.schema(
            [pa.field(c.name, c.type) for c in self.columns if c.name not in self.partition]
        )

    @cached_property
    def per_atom(self) -> tuple[str, ...]:
        """Names of the columns with one entry per atom."""
        return tuple(c.name for c in self.columns if c.per_atom)

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
