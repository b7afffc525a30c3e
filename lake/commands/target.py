"""Which lake a command is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from lake.errors import InvalidInputError

if TYPE_CHECKING:
    from lake.lake import Lake


@dataclass(frozen=True)
class Target:
    """The lake named on the command line, not opened yet, and whether to answer in JSON."""

    uri: str | None
    storage_options: Mapping[str, str]
    as_json: bool

    @classmethod
    def parse(cls, uri: str | None, options: Iterable[str], *, as_json: bool) -> Target:
        """The target behind the root's options, `options` being ``KEY=VALUE`` each.

        Raises
        ------
        InvalidInputError
            An option has no key or no equals sign.
        """
        pairs = {}
        for option in options:
            key, equals, value = option.partition("=")
            if not key or not equals:
                raise InvalidInputError(
                    f"--storage-option {option}: expected KEY=VALUE, "
                    "e.g. endpoint=http://127.0.0.1:9000."
                )
            pairs[key] = value
        return cls(uri, pairs, as_json)

    def require_uri(self) -> str:
        """Where the lake is.

        Raises
        ------
        InvalidInputError
            No lake was named.
        """
        if not self.uri:
            raise InvalidInputError(
                "No lake is named. Expected --lake PATH or the environment variable ATOMLAKE. "
                "Make a new lake with: atomlake init PATH"
            )
        return self.uri

    def open(self) -> Lake:
        """The lake itself."""
        import lake

        return lake.open(self.require_uri(), storage_options=self.storage_options)


pass_target = click.make_pass_decorator(Target)
