"""What is said of a model on the command line, as values."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lake.errors import InvalidInputError


def parse_seed(text: str) -> int:
    """A seed.

    Raises
    ------
    InvalidInputError
        It is no whole number.
    """
    try:
        return int(text)
    except ValueError:
        raise InvalidInputError(
            f"--seed {text}: expected a whole number, or nothing to take it away."
        ) from None


def parse_options(texts: Sequence[str]) -> dict[str, object]:
    """The settings ``KEY=VALUE``, values being JSON or else text.

    Raises
    ------
    InvalidInputError
        One is not of that form, or given twice.

    Examples
    --------
    >>> parse_options(["head=dft", "sigma=2.5"])
    {'head': 'dft', 'sigma': 2.5}
    """
    options: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise InvalidInputError(f"--option {text}: expected KEY=VALUE, e.g. head=dft.")
        if key in options:
            raise InvalidInputError(f"--option gives {key} twice. Give one.")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options
