"""Names that become folders: of datasets, label sets, models, schemes and projects."""

from __future__ import annotations

import re

from lake.errors import InvalidInputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}")


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
