"""Take data out of a lake into files other programs read."""

from __future__ import annotations

import click

from lake.commands.printing import print_done, print_frame
from lake.commands.target import Target, pass_target
from lake.counted import counted


@click.group()
def export() -> None:
    """Write the lake, or a part of it, to files."""


@export.command()
@click.argument("file", type=click.Path(dir_okay=False))
@pass_target
def duckdb(target: Target, file: str) -> None:
    """Write FILE, a small DuckDB database of views over the lake as it is now.

    Any DuckDB client opens it with nothing else installed. The data stay in the lake.

    \b
    Example:
      atomlake export duckdb lake.duckdb --lake lakes/demo
      duckdb lake.duckdb "SELECT count(*) FROM structures"
    """
    target.open().export_duckdb(file)
    print_done(target, f"Wrote {file}.", file=file)


@export.command()
@click.argument("file")
@click.option("--where", metavar="SQL", help="Only structures for which this holds.")
@click.option("--label-set", metavar="NAME", help="Labels to write, where there are several sets.")
@click.option("--label-prefix", default="", metavar="TEXT", help="Written before energy, forces …")
@pass_target
def extxyz(
    target: Target, file: str, where: str | None, label_set: str | None, label_prefix: str
) -> None:
    """Write structures with their labels to FILE as extended XYZ; - is standard output.

    \b
    Example:
      atomlake export extxyz train.extxyz --where "dataset = 'cu'" --label-prefix REF_
    """
    written = target.open().export_extxyz(
        file, where, label_set=label_set, label_prefix=label_prefix
    )
    if file != "-":
        print_done(
            target,
            f"Wrote {counted(written, 'structure')} to {file}.",
            file=file,
            structures=written,
        )


@export.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--table", "tables", multiple=True, help="Only this table. May be repeated.")
@pass_target
def parquet(target: Target, folder: str, tables: tuple[str, ...]) -> None:
    """Write tables to FOLDER as plain Parquet files.

    \b
    Example:
      atomlake export parquet out --table structures --lake lakes/demo
    """
    print_frame(target, target.open().export_parquet(folder, tables or None))
