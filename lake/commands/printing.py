"""How commands answer: JSON for machines, a table on a terminal, aligned columns elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from lake.commands.cell import cell_text
from lake.commands.json_text import json_text

if TYPE_CHECKING:
    import polars as pl

    from lake.commands.target import Target

Record = Mapping[str, object]


def print_done(target: Target, sentence: str, **facts: object) -> None:
    """Say that something was done: a sentence, or its facts as JSON."""
    if target.as_json:
        print_json(facts)
    else:
        click.echo(sentence)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json_text(value))


def print_frame(target: Target, frame: pl.DataFrame) -> None:
    """Print the rows of a frame."""
    if target.as_json:
        print_json(frame.to_dicts())
    else:
        print_table(frame.columns, frame.rows())


def print_records(target: Target, records: Sequence[Record]) -> None:
    """Print rows that share their keys."""
    if target.as_json:
        print_json(records)
    elif records:
        print_table(list(records[0]), [tuple(r.values()) for r in records])


def print_table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a heading, numbers flush right."""
    cells = [[cell_text(value) for value in row] for row in rows]
    is_number = [_is_numeric([row[i] for row in rows]) for i in range(len(names))]
    if sys.stdout.isatty():
        _print_rich(names, cells, is_number)
    else:
        _print_plain(names, cells, is_number)


def _is_numeric(values: Sequence[object]) -> bool:
    given = [v for v in values if v is not None]
    return bool(given) and all(
        isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in given
    )


def _print_plain(
    names: Sequence[str], cells: Sequence[Sequence[str]], is_number: Sequence[bool]
) -> None:
    columns = [[name, *(row[i] for row in cells)] for i, name in enumerate(names)]
    padded = []
    for column, right in zip(columns, is_number, strict=True):
        width = max(map(len, column))
        padded.append([text.rjust(width) if right else text.ljust(width) for text in column])
    lines = ["  ".join(line).rstrip() for line in zip(*padded, strict=True)]
    ruler = "  ".join("-" * len(column[0]) for column in padded)
    click.echo("\n".join([lines[0], ruler, *lines[1:]]))


def _print_rich(
    names: Sequence[str], cells: Sequence[Sequence[str]], is_number: Sequence[bool]
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, right in zip(names, is_number, strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    Console(markup=False, highlight=False).print(table)
