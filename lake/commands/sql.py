"""Answer one SQL question."""

from __future__ import annotations

from pathlib import Path

import click

from lake.commands.formats import FORMATS, format_of, write_result
from lake.commands.printing import print_frame
from lake.commands.question import asker
from lake.commands.target import Target, pass_target
from lake.commands.version_type import version as version_type


class Query(click.Command):
    """A command whose argument may begin with an SQL comment."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Tell options from SQL by the spaces before an equals sign, which no option has."""
        return super().parse_args(ctx, [f" {a}" if is_comment(a) else a for a in args])


def is_comment(word: str) -> bool:
    """Whether a word of the command line is SQL that begins with a comment."""
    return word.startswith("--") and any(map(str.isspace, word.partition("=")[0]))


@click.command(cls=Query)
@click.argument("query")
@click.option("--at", type=version_type, help="Version or tag to ask.  [default: the newest]")
@click.option(
    "--format",
    "name",
    type=click.Choice(["table", *FORMATS]),
    help="Format of the answer.  [default: by the ending of FILE, else a table]",
)
@click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the answer.",
)
@click.option("--unsafe", is_flag=True, help="Let QUERY read and write files.")
@pass_target
def sql(
    target: Target,
    query: str,
    at: int | str | None,
    name: str | None,
    file: Path | None,
    unsafe: bool,
) -> None:
    """Answer QUERY, one SQL statement over the tables of the lake.

    The dialect is DuckDB's. QUERY cannot write, and reads no files but the lake's, unless --unsafe.

    \b
    Example:
      atomlake sql "SELECT config_type, count(*) FROM structures GROUP BY ALL" --lake lakes/demo
      atomlake sql "FROM labels" --at paper-v1 -o labels.parquet --lake lakes/demo
    """
    lk = target.open()
    answer = asker(lk if at is None else lk.at(at), safe=not unsafe)(query)
    if file is not None:
        write_result(answer, name or format_of(file), file)
    elif name is None or name == "table":
        print_frame(target, answer)
    else:
        write_result(answer, name, None)
