"""Say what the tables of a lake hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lake.commands.printing import print_records
from lake.commands.target import Target, pass_target
from lake.errors import NotFoundError

if TYPE_CHECKING:
    from schemas import Table


@click.command()
@click.argument("table", required=False)
@pass_target
def schema(target: Target, table: str | None) -> None:
    """List the tables, or the columns of TABLE with their units.

    \b
    Example:
      atomlake schema
      atomlake schema labels
    """
    from schemas import TABLES

    if table is None:
        print_records(target, [table_record(t) for t in TABLES.values()])
    elif table in TABLES:
        print_records(target, column_records(TABLES[table]))
    else:
        raise NotFoundError.among("table", table, TABLES)


def table_record(table: Table) -> dict[str, str]:
    """Name, grain and meaning of a table."""
    return {"table": table.name, "one row per": ", ".join(table.grain), "holds": table.doc}


def column_records(table: Table) -> list[dict[str, str]]:
    """Name, type, unit and meaning of every column of a table."""
    from schemas import duckdb_type

    return [
        {
            "column": column.name,
            "type": duckdb_type(column.type).replace('"', ""),
            "unit": column.unit or "",
            "null": "" if column.required else "yes",
            "meaning": column.doc,
        }
        for column in table.columns
    ]
