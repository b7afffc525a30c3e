"""A data file of a table as Arrow reads it, with every column the table declares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lake.errors import InvalidInputError
from schemas import TABLES


class TableFile(pq.ParquetFile):  # type: ignore[misc]  # pyarrow comes without types
    """An open data file, in which columns declared after it was written are NULL in every row.

    Parameters
    ----------
    source
        What Arrow reads from.
    path
        Where the file lies below the lake; it begins with the name of the table.
    **options
        Those of `pyarrow.parquet.ParquetFile`.
    """

    def __init__(self, source: Any, path: str, **options: Any) -> None:
        super().__init__(source, **options)
        self._path = path
        self._table = TABLES[path.partition("/")[0]]
        stored = set(self.schema_arrow.names)
        self._lacking = [f for f in self._table.file_arrow if f.name not in stored]

    def read(self, columns: Sequence[str] | None = None, **options: Any) -> pa.Table:
        """All rows; the declared columns where none are named."""
        names = self._names(columns)
        return self._filled(super().read(columns=names, **options), names)

    def read_row_group(
        self, i: int, columns: Sequence[str] | None = None, **options: Any
    ) -> pa.Table:
        """The rows of one row group; the declared columns where none are named."""
        names = self._names(columns)
        return self._filled(super().read_row_group(i, columns=names, **options), names)

    def iter_batches(
        self, *sizes: Any, columns: Sequence[str] | None = None, **options: Any
    ) -> Iterator[pa.RecordBatch]:
        """The rows in batches; the declared columns where none are named."""
        names = self._names(columns)
        for batch in super().iter_batches(*sizes, columns=names, **options):
            yield self._filled(batch, names)

    def require_columns(self) -> None:
        """Refuse the file where it lacks a column in which every row needs a value.

        Raises
        ------
        InvalidInputError
            It lacks one.
        """
        table = self._table.name
        for field in self._lacking:
            if self._table.column(field.name).required:
                raise InvalidInputError(
                    f"{self._path} has no column {field.name!r}, in which every row of {table} "
                    "needs a value: it was written by an earlier atomlake. Read it with that one "
                    "(the table commits says which), or drop its rows and make them anew."
                )

    def _names(self, columns: Sequence[str] | None) -> list[str]:
        return self._table.file_arrow.names if columns is None else list(dict.fromkeys(columns))

    def _filled(self, rows: Any, names: Sequence[str]) -> Any:
        """Rows with those of the columns named that the file lacks; in the order of the names."""
        lacking = {field.name: field for field in self._lacking if field.name in names}
        if not lacking:
            return rows
        self.require_columns()
        fields = [lacking[n] if n in lacking else rows.schema.field(n) for n in names]
        columns = [
            pa.nulls(rows.num_rows, field.type) if field.name in lacking else rows[field.name]
            for field in fields
        ]
        return type(rows).from_arrays(columns, schema=pa.schema(fields))
