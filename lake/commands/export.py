"""Take data out of a lake into files other programs read."""

from __future__ import annotations

from pathlib import Path

import click

from lake.commands.printing import print_done
from lake.commands.target import Target, pass_target

FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def export() -> None:
    """Write the lake, or a part of it, to files."""


@export.command()
@click.argument("file", type=FILE)
@pass_target
def duckdb(target: Target, file: Path) -> None:
    """Write FILE, a small DuckDB database of views over the lake as it is now.

    Any DuckDB client opens it with nothing else installed. The data stay in the lake.

    \b
    Example:
      atomlake export duckdb lake.duckdb --lake lakes/demo
      duckdb lake.duckdb "SELECT count(*) FROM structures"
    """
    target.open().export_duckdb(file)
    print_done(target, f"Wrote {file}.", file=str(file))


@export.command()
@click.argument("file", type=FILE)
@click.option("--where", metavar="SQL", help="Only structures for which this holds.")
@click.option("--label-set", metavar="NAME", help="Labels to write, where there are several sets.")
@click.option("--label-prefix", default="", metavar="TEXT", help="Written before energy, forces …")
@pass_target
def extxyz(
    target: Target, file: Path, where: str | None, label_set: str | None, label_prefix: str
) -> None:
    """Write structures with their labels to FILE as extended XYZ.

    \b
    Example:
      atomlake export extxyz train.extxyz --where "dataset = 'cu'" --label-prefix REF_
    """
    target.open().export_extxyz(file, where=where, label_set=label_set, label_prefix=label_prefix)
    print_done(target, f"Wrote {file}.", file=str(file))


@export.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--table", help="Only this table.  [default: all]")
@pass_target
def parquet(target: Target, folder: Path, table: str | None) -> None:
    """Write tables to FOLDER as Parquet files.

    \b
    Example:
      atomlake export parquet out --table structures --lake lakes/demo
    """
    target.open().export_parquet(folder, table=table)
    print_done(target, f"Wrote {folder}.", folder=str(folder))
