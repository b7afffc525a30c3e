"""Write the reference pages from the declared tables, the views and the help of every command.

Run ``python docs/generate.py`` to write them, with ``--check`` to see whether they are current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

from lake.cli import COMMANDS, root
from lake.views.duckdb_views import LONG_VIEWS, view_sql
from schemas import TABLES, Column, Table, duckdb_type

REFERENCE = Path(__file__).parent / "reference"
WIDTH = 88
Pages = dict[Path, str]


def table_page(table: Table) -> str:
    """The page of one table."""
    facts = [f"- One row per: {code_list(table.grain)}"]
    if table.partition:
        facts.append(f"- Folders by: {code_list(table.partition)}")
    facts.append(f"- Sorted by: {code_list(table.sort_by)}")
    rows = "\n".join(column_row(column) for column in table.columns)
    return (
        f"# `{table.name}`\n\n{table.doc}\n\n" + "\n".join(facts) + "\n\n"
        "| column | type | unit | may be NULL | meaning |\n"
        "|---|---|---|---|---|\n"
        f"{rows}\n"
    )


def column_row(column: Column) -> str:
    """The line of one column in its table's page."""
    doc = f"{column.doc} One entry per atom." if column.per_atom else column.doc
    cells = (
        f"`{column.name}`",
        f"`{duckdb_type(column.type)}`".replace('"', ""),
        column.unit or "",
        "" if column.required else "yes",
        doc.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


def view_page(name: str) -> str:
    """The page of a long view: its statement, whose header says what it gives."""
    return (
        f"# `{name}`\n\n"
        f"A view over {code_list(LONG_VIEWS[name])}, computed when it is asked for.\n\n"
        f"```sql\n{view_sql(name).strip()}\n```\n"
    )


def root_context() -> click.Context:
    """The context of `atomlake` itself, at a fixed width."""
    return click.Context(
        root, info_name="atomlake", terminal_width=WIDTH, help_option_names=["-h", "--help"]
    )


def root_help() -> str:
    """The help of `atomlake` itself."""
    return f"\n```text\n{root_context().get_help()}\n```\n"


def command_page(name: str, command: click.Command) -> str:
    """The page of one command, with those below it."""
    helps = "\n\n".join(
        f"{'#' * (1 + depth)} `{child.command_path}`\n\n```text\n{child.get_help()}\n```"
        for depth, child in contexts(name, command, root_context())
    )
    return helps + "\n"


def contexts(
    name: str, command: click.Command, parent: click.Context, depth: int = 0
) -> Iterator[tuple[int, click.Context]]:
    """A command and those below it, each with its depth."""
    context = click.Context(command, parent=parent, info_name=name)
    yield depth, context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            if (child := command.get_command(context, below)) is not None:
                yield from contexts(below, child, context, depth + 1)


def index(title: str, entries: dict[str, str]) -> str:
    """A page that lists other pages."""
    lines = "\n".join(f"- [`{name}`]({name}.md): {line}" for name, line in entries.items())
    return f"# {title}\n\n{lines}\n"


def code_list(names: tuple[str, ...]) -> str:
    """Names in code type, with commas."""
    return ", ".join(f"`{name}`" for name in names)


def pages() -> Pages:
    """Every reference page there should be."""
    tables, commands = REFERENCE / "tables", REFERENCE / "commands"
    loaded = {name: load(path) for name, path in COMMANDS.items()}
    lines = {name: table.doc for name, table in TABLES.items()}
    lines |= {name: view_sql(name).splitlines()[0].removeprefix("-- ") for name in LONG_VIEWS}
    helps = {name: command.get_short_help_str(100) for name, command in loaded.items()}
    return {
        tables / "README.md": index("Tables and views", lines),
        **{tables / f"{name}.md": table_page(table) for name, table in TABLES.items()},
        **{tables / f"{name}.md": view_page(name) for name in LONG_VIEWS},
        commands / "README.md": index("Commands", helps) + root_help(),
        **{commands / f"{name}.md": command_page(name, c) for name, c in loaded.items()},
    }


def load(path: str) -> click.Command:
    """The command behind a dotted string."""
    module, _, attribute = path.partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    return command


def stale(wanted: Pages) -> list[Path]:
    """Pages that are missing, differ, or should not be there."""
    wrong = [p for p, text in wanted.items() if not p.exists() or p.read_text("utf-8") != text]
    return wrong + [page for page in sorted(REFERENCE.rglob("*.md")) if page not in wanted]


def write(wanted: Pages) -> None:
    """Write all pages and take away those that should not be there."""
    for page in stale(wanted):
        if page in wanted:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(wanted[page], "utf-8")
        else:
            page.unlink()


def main() -> int:
    """Write or check; 1 when a check finds a stale page."""
    if "--check" not in sys.argv[1:]:
        write(pages())
        return 0
    for page in (wrong := stale(pages())):
        print(f"{page}: not current. Run: make docs", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
