"""Options of a model, as they were given when it was registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lake.errors import InvalidInputError


def take_options(
    options: Mapping[str, Any], known: Sequence[str], engine: str
) -> Mapping[str, Any]:
    """The options, all of which the engine knows.

    Raises
    ------
    InvalidInputError
        It does not know one.
    """
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InvalidInputError(
            f"The engine {engine} has no option {', '.join(unknown)}; it has "
            f"{', '.join(known) or 'none'}. Leave it out, or mend its name."
        )
    return options
