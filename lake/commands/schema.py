"""Say what the tables of a lake hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lake.commands.printing import print_records
from lake.commands.target import Target, pass_target
from lake.errors import NotFoundError

if TYPE_CHECKING:
    from lake.commands.printing import Record


@click.command()
@click.argument("table", required=False)
@pass_target
def schema(target: Target, table: str | None) -> None:
    """List the tables and views, or the columns of TABLE with their units.

    \b
    Example:
      atomlake schema
      atomlake schema labels
      atomlake schema force_errors
    """
    print_records(target, table_records() if table is None else column_records(table))


def table_records() -> list[Record]:
    """Name, grain and meaning of every table and view."""
    from lake.views.duckdb_views import LONG_VIEWS, view_sql
    from lake.views.view_header import ViewHeader, read_header
    from schemas import TABLES, Table

    described: dict[str, Table | ViewHeader] = dict(TABLES)
    described |= {name: read_header(view_sql(name)) for name in LONG_VIEWS}
    return [
        {"table": name, "one row per": ", ".join(each.grain), "holds": each.doc}
        for name, each in described.items()
    ]


def column_records(name: str) -> list[Record]:
    """Name, type, unit and meaning of every column of a table or a view.

    Raises
    ------
    NotFoundError
        There is none of this name.
    """
    from lake.views.duckdb_views import LONG_VIEWS, RELATIONS
    from schemas import TABLES

    if name in TABLES:
        return _columns_of_table(name)
    if name in LONG_VIEWS:
        return _columns_of_view(name)
    raise NotFoundError.among("table or view", name, RELATIONS)


def _columns_of_table(name: str) -> list[Record]:
    from schemas import TABLES, duckdb_type

    return [
        {
            "column": column.name,
            "type": duckdb_type(column.type).replace('"', ""),
            "unit": column.unit or "",
            "null": "" if column.required else "yes",
            "meaning": column.doc,
        }
        for column in TABLES[name].columns
    ]


def _columns_of_view(name: str) -> list[Record]:
    from lake.views.duckdb_views import view_sql
    from lake.views.view_header import read_header

    return [
        {
            "column": column.name,
            "type": column.type,
            "unit": column.unit or "",
            "meaning": column.doc,
        }
        for column in read_header(view_sql(name)).columns
    ]
