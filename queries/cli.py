"""`atomlake query`: questions that have a name, each a command that is loaded when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import cast

import click

from lake.commands.printing import print_records
from lake.commands.target import Target
from lake.errors import NotFoundError

QUESTIONS = {
    "losses": "queries.losses.command:losses",
    "ood": "queries.ood.command:ood",
}


class Questions(click.Group):
    """Loads a question by its dotted name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the help."""
        return ["list", *QUESTIONS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`, imported now; None when there is none."""
        if cmd_name not in QUESTIONS:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = QUESTIONS[cmd_name].partition(":")
        return cast(click.Command, getattr(import_module(module), attribute))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the question an argument names; a name not found lists the near ones."""
        names = self.list_commands(ctx)
        if not args[0].startswith("-") and args[0] not in names:
            raise NotFoundError.among("question", args[0], names)
        return super().resolve_command(ctx, args)


@click.group(cls=Questions)
def group() -> None:
    """Answer a question: tables, statistics, figures and a report."""


@group.command("list")
@click.pass_context
def list_questions(ctx: click.Context) -> None:
    """List the questions there are.

    \b
    Example:
      atomlake query list
    """
    commands = {name: group.get_command(ctx, name) for name in QUESTIONS}
    said = [
        {"question": name, "answers": command.get_short_help_str(100)}
        for name, command in commands.items()
        if command is not None
    ]
    print_records(cast(Target, ctx.find_object(Target)), said)
