"""The options of the verbs that compute, and the request they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lake.errors import InvalidInputError

if TYPE_CHECKING:
    from compute.jobs.request import Request
    from lake.lake import Lake

Command = TypeVar("Command", bound=Callable[..., Any])
_SIZES = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}

DATASETS = click.option(
    "--dataset", "datasets", multiple=True, required=True, help="Dataset. May be repeated."
)
MODELS = click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="GLOB",
    help="Name of a model or a pattern, e.g. 'mace-*'. May be repeated.",
)
WHERE = click.option("--where", metavar="SQL", help="Condition over structures and labels.")
COMMIT_EVERY = click.option(
    "--commit-every",
    type=float,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="A job that is killed loses at most so much.",
)


def latents_option(
    *names: str, values: Sequence[str], default: str
) -> Callable[[Command], Command]:
    """The option that says which layers are kept."""
    return click.option(
        "--latents",
        *names,
        type=click.Choice(values),
        default=default,
        show_default=True,
        help="Layers of latents to keep.",
    )


def request_options(command: Command) -> Command:
    """The options of every verb that computes."""
    for decorator in reversed(
        (
            WHERE,
            click.option(
                "--latents-dtype",
                type=click.Choice(["float32", "float16"]),
                default="float32",
                show_default=True,
                help="What latents are kept as.",
            ),
            click.option(
                "--device",
                default="auto",
                show_default=True,
                help="auto, cpu, cuda (every GPU there is) or cuda:n.",
            ),
            click.option(
                "--dtype",
                type=click.Choice(["float32", "float64"]),
                help="Type to compute in.  [default: the model's]",
            ),
            click.option(
                "--shard", metavar="K/N", default="1/1", help="Only part K of N of the structures."
            ),
            click.option(
                "--max-edges", type=int, help="Largest batch, in edges.  [default: found out]"
            ),
            click.option("--batch", type=int, help="Most structures of a batch."),
            click.option("--max-memory", metavar="SIZE", help="Most memory of a worker, e.g. 16G."),
            COMMIT_EVERY,
        )
    ):
        command = decorator(command)
    return command


def make_request(lake: Lake, verb: str, given: Mapping[str, Any]) -> Request:
    """What `verb` is asked to do; of all datasets and models where it may leave them out.

    Raises
    ------
    InvalidInputError
        An option has none of the values it may have.
    """
    from compute.jobs.choices import Limits, Shard
    from compute.jobs.request import Request

    options = dict(given)
    limits = Limits(
        options.pop("max_edges"),
        options.pop("batch"),
        _bytes(options.pop("max_memory")),
        options.pop("commit_every"),
    )
    request = Request(
        "latents" if verb == "latents" else "predict",
        options.pop("datasets") or _all_datasets(lake),
        options.pop("models") or ("*",),
        shard=Shard.parse(options.pop("shard")),
        limits=limits,
        only_failed=options.pop("failed", False),
        **options,
    )
    request.check()
    return request


def _all_datasets(lake: Lake) -> list[str]:
    return sorted({file.partition["dataset"] for file in lake.reader.files("structures")})


def _bytes(text: str | None) -> int | None:
    if text is None:
        return None
    number, unit = text.upper().removesuffix("B").removesuffix("I"), 1
    if number and number[-1] in _SIZES:
        unit, number = _SIZES[number[-1]], number[:-1]
    if not number.isascii() or not number.isdigit():
        raise InvalidInputError(f"--max-memory {text}: expected a size such as 16G or 800M.")
    return int(number) * unit
