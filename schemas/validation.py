"""Whether rows are what their table declares."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from schemas.table import Table


def find_faults(table: Table, rows: pa.Table) -> Iterator[str]:
    """What is wrong with rows that are about to be written, a sentence each.

    Parameters
    ----------
    rows
        The columns that stand in the data files, of the declared types.

    Examples
    --------
    >>> from schemas import TABLES
    >>> tags = TABLES["tags"]
    >>> list(find_faults(tags, tags.arrow.empty_table()))
    []
    """
    for column in table.columns:
        if column.name in table.partition:
            continue
        values = rows[column.name]
        if column.required and values.null_count:
            yield f"{table.name}.{column.name} is NULL in {values.null_count} of {len(rows)} rows"
        if column.per_atom:
            for name, lists in _lists(column.name, values):
                wrong = pc.sum(pc.not_equal(pc.list_value_length(lists), rows["n_atoms"])).as_py()
                if wrong:
                    yield f"{table.name}.{name} has not n_atoms entries in {wrong} rows"


def _lists(name: str, values: pa.ChunkedArray) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """The lists of a per-atom column: itself, or the components of its vectors."""
    if not pa.types.is_struct(values.type):
        yield name, values
        return
    for i in range(values.type.num_fields):
        # A vector that is NULL has NULL components, which are compared to nothing.
        yield f"{name}.{values.type.field(i).name}", pc.struct_field(values, [i])
