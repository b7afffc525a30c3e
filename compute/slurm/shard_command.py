"""The compute command an array runs, checked on submission and not hours later on a node."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from click.core import ParameterSource

from compute.jobs.extent import Extent, find_extent
from compute.request_options import make_request
from lake.errors import InvalidInputError, NotFoundError
from lake.lake import Lake

_SECRET = re.compile(r"secret|token|password|(?<!id)key(_base64)?$", re.IGNORECASE)


def shard_command(lake: Lake, options: Mapping[str, str], words: Sequence[str]) -> list[str]:
    """The whole command of a shard, but for ``--shard K/N``.

    Parameters
    ----------
    lake
        Named by its absolute path, because jobs may start elsewhere.
    options
        What its object store was given on the command line.
    words
        A verb of compute that has shards, with its options.

    Raises
    ------
    InvalidInputError
        A secret would stand in the script.
    """
    # -P: a folder called compute where the user stands must not be taken for ours.
    root = [sys.executable, "-P", "-m", "lake.cli", "--lake", lake.storage.uri]
    return [*root, *_storage_words(options), "compute", *words]


def shard_extent(lake: Lake, words: Sequence[str]) -> Extent:
    """How much all shards have to do together.

    Raises
    ------
    InvalidInputError, NotFoundError
        There is no such verb, dataset or model, or an option cannot be meant.
    click.UsageError
        An option of the verb is wrong.
    """
    options = _parse(words)
    return find_extent(lake.reader, make_request(lake, words[0], options))


def _parse(words: Sequence[str]) -> Mapping[str, Any]:
    """The options of a verb, by name."""
    from compute.cli import group

    verbs = {
        name: verb
        for name, verb in group.commands.items()
        if any(parameter.name == "shard" for parameter in verb.params)
    }
    if not words:
        raise InvalidInputError(
            f"Nothing to compute is named. Expected one of {', '.join(verbs)} with its options "
            "after --, e.g. -- predict --dataset cu --model 'mace-*'."
        )
    if words[0] not in verbs:
        raise NotFoundError.among("compute command with shards", words[0], verbs)
    here = click.get_current_context(silent=True)
    parent = here.parent if here else None  # so that a message names the verb as one of compute
    with verbs[words[0]].make_context(words[0], list(words[1:]), parent=parent) as context:
        if context.get_parameter_source("shard") is not ParameterSource.DEFAULT:
            raise InvalidInputError(
                f"--shard {context.params['shard']}: every shard of the array is given its own. "
                "Leave it out, and give their number before --, as --shards N."
            )
        return context.params


def _storage_words(options: Mapping[str, str]) -> list[str]:
    words = []
    for key, value in options.items():
        if _SECRET.search(key):
            raise InvalidInputError(
                f"--storage-option {key}=…: it would stand in a script for others to read. "
                "Expected no secrets. Put it into the environment, e.g. AWS_SECRET_ACCESS_KEY, "
                "which sbatch hands on to the job."
            )
        words += ["--storage-option", f"{key}={value}"]
    return words
