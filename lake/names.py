"""Names of files that are read, and names that become folders: of datasets, models and the like."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from lake.errors import InvalidInputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}")

# Paths, patterns and URLs: one or several.
FileNames = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def check_name(kind: str, name: str) -> str:
    """The name itself.

    Raises
    ------
    InvalidInputError
        It has characters that are not safe in a folder's name on every storage.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} cannot be the name of a {kind.replace('_', ' ')}. Expected letters, digits, "
            "'_', '.' and '-', beginning with a letter or digit, at most 128. Choose another."
        )
    return name
