"""A version of the lake as it is written on the command line."""

from __future__ import annotations

import click


class VersionType(click.ParamType[int | str]):
    """A number or the name of a tag."""

    name = "version"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """The version as a number, or the tag's name."""
        text = str(value)
        return int(text) if text.isdecimal() else text


VERSION = VersionType()
