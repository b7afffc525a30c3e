"""A place to ask one SQL question after another."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from lake.commands.printing import print_frame, print_records
from lake.commands.question import Ask, asker
from lake.commands.schema import column_records, table_records
from lake.commands.statements import is_blank, split_statements
from lake.commands.target import Target, pass_target
from lake.errors import AtomlakeError, InvalidInputError

HELP = r"""End a statement with a semicolon.
\tables     the tables and views of the lake
\schema T   the columns of T
\quit       leave"""


@click.command()
@click.option("--unsafe", is_flag=True, help="Let statements read and write files.")
@pass_target
def shell(target: Target, unsafe: bool) -> None:
    """Ask SQL questions one after another.

    A statement ends with a semicolon. After one that fails, the rest of its line is left out.
    \\tables lists the tables, \\schema TABLE the columns of one, \\quit leaves. Reads from a pipe
    as well; the exit code is 1 then if a statement failed.

    \b
    Example:
      atomlake shell --lake lakes/demo
      atomlake shell --lake lakes/demo < questions.sql
    """
    ask = asker(target.open(), safe=not unsafe)
    if sys.stdin.isatty():
        import readline  # noqa: F401  # importing it gives input() editing and a history

        click.echo(r"\help for help, \quit to leave.")
    failed = [each for each in entered() if not all(answered(target, ask, words) for words in each)]
    if failed and not sys.stdin.isatty():
        raise click.exceptions.Exit(1)


def entered() -> Iterator[list[str]]:
    r"""Yield the statements that end with a line, or that line if it begins with a backslash."""
    pending = ""
    while (line := read_line("     ...> " if pending else "atomlake> ")) is not None:
        words = line.strip()
        if words == r"\quit":
            return
        if not pending and words.startswith("\\"):
            yield [words]
            continue
        done, rest = split_statements(f"{pending}{line}\n")
        pending = "" if is_blank(rest) else rest
        if done:
            yield done
    if pending:
        yield [pending]


def read_line(prompt: str) -> str | None:
    """One line from the user or the pipe; None at its end."""
    try:
        return input(prompt) if sys.stdin.isatty() else input()
    except EOFError:
        return None


def answered(target: Target, ask: Ask, words: str) -> bool:
    """Answer one statement; False when it failed, which is said on stderr."""
    try:
        answer(target, ask, words)
    except AtomlakeError as error:
        click.echo(f"Error: {error}", err=True)
        return False
    except KeyboardInterrupt:  # ends a long question, not the shell
        if not sys.stdin.isatty():
            raise
        click.echo("Interrupted.", err=True)
        return False
    return True


def answer(target: Target, ask: Ask, words: str) -> None:
    """Print the answer to a statement or a backslash command."""
    if not words.startswith("\\"):
        if not is_blank(words):
            print_frame(target, ask(words))
        return
    match words.split():
        case [r"\help"]:
            click.echo(HELP)
        case [r"\tables"]:
            print_records(target, table_records())
        case [r"\schema", name]:
            print_records(target, column_records(name))
        case _:
            raise InvalidInputError(f"{words}: not a command of the shell.\n{HELP}")
