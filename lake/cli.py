"""The command `atomlake`: its groups and verbs, each loaded when it is asked for."""

from __future__ import annotations

import errno
from importlib import import_module
from typing import Any, cast

import click

from lake.commands.library_errors import failure_text, is_broken_pipe, library_errors
from lake.commands.target import Target
from lake.errors import AtomlakeError, InvalidInputError, NotFoundError
from lake.version import __version__

# Dotted strings, because lake must not import what stands on it.
SECTIONS = {
    "The lake": {
        "init": "lake.commands.init:init",
        "info": "lake.commands.info:info",
        "schema": "lake.commands.schema:schema",
    },
    "In and out": {
        "ingest": "ingest.cli:group",
        "export": "lake.commands.export:export",
    },
    "Models": {
        "model": "compute.model_commands:group",
        "env": "compute.environment_commands:group",
        "compute": "compute.cli:group",
    },
    "Questions": {
        "query": "queries.cli:group",
        "sql": "lake.commands.sql:sql",
        "shell": "lake.commands.shell:shell",
    },
    "Versions": {
        "log": "lake.commands.history:log",
        "diff": "lake.commands.history:diff",
        "tag": "lake.commands.history:tag",
    },
    "Upkeep": {
        "check": "lake.commands.upkeep:check",
        "optimize": "lake.commands.upkeep:optimize",
        "vacuum": "lake.commands.upkeep:vacuum",
        "drop": "lake.commands.drop:drop",
    },
}
COMMANDS = {name: path for section in SECTIONS.values() for name, path in section.items()}
INTERRUPTED = 130  # what shells report for a program ended by Ctrl-C


class Failure(click.ClickException):
    """It failed: a message and exit code 1, no traceback."""

    exit_code = 1


class Refusal(click.ClickException):
    """The user's input is wrong: a message and exit code 2, no traceback."""

    exit_code = 2


class Atomlake(click.Group):
    """The root: loads a command by its dotted name and takes the root's options anywhere."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`, imported now; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        return cast(click.Command, getattr(import_module(module), attribute))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the root's options, also those written after the verb."""
        return super().parse_args(ctx, _root_options_first(self.get_params(ctx), args))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command an argument names; a name not found lists the near ones."""
        if not args[0].startswith("-") and args[0] not in COMMANDS:
            raise NotFoundError.among("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; expected errors become a message and an exit code."""
        try:
            return super().invoke(ctx)
        except (InvalidInputError, NotFoundError) as error:
            raise Refusal(str(error)) from error
        except AtomlakeError as error:
            raise Failure(str(error)) from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except library_errors() as error:
            if is_broken_pipe(error):
                raise BrokenPipeError(errno.EPIPE, "Broken pipe") from None  # click goes quietly
            raise Failure(failure_text(error)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands in sections."""
        width = max(map(len, COMMANDS))
        for section, names in SECTIONS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(n.ljust(width), c.get_short_help_str(100)) for n, c in commands if c]
            with formatter.section(section):
                formatter.write_dl(rows)


def _root_options_first(params: list[click.Parameter], args: list[str]) -> list[str]:
    """Move the root's own options to the front, as far as a ``--`` that ends all options."""
    takes_value = {
        name: not (option.is_flag or option.is_eager)
        for option in params
        if isinstance(option, click.Option) and option.name in ("uri", "options", "as_json")
        for name in option.opts
    }
    front: list[str] = []
    rest = list(args)
    back: list[str] = []
    while rest and rest[0] != "--":
        word = rest.pop(0)
        name, equals, _ = word.partition("=")
        if name not in takes_value:
            back.append(word)
            continue
        front.append(word)
        if takes_value[name] and not equals and rest:
            front.append(rest.pop(0))
    return front + back + rest


@click.command(
    cls=Atomlake,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="--lake, --json and --storage-option may stand before the command or after it.",
)
@click.option("--lake", "uri", envvar="ATOMLAKE", metavar="PATH", help="Folder or URL of the lake.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option(
    "--storage-option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="Setting of the object store, e.g. endpoint=http://127.0.0.1:9000. May be repeated.",
)
@click.version_option(__version__, prog_name="atomlake")
@click.pass_context
def root(ctx: click.Context, uri: str | None, as_json: bool, options: tuple[str, ...]) -> None:
    """A data lake for machine-learned interatomic potentials."""
    ctx.obj = Target.parse(uri, options, as_json=as_json)


def main() -> None:
    """Run `atomlake` with the arguments of the process."""
    root(prog_name="atomlake")


if __name__ == "__main__":
    main()
