"""Paths as they are kept."""

from __future__ import annotations

import os
from pathlib import Path


def absolute_place(path: str | Path) -> str:
    """The path, absolute and without ``..``; links stay, but for those a ``..`` leads back from.

    Examples
    --------
    >>> absolute_place("/scratch/models/a.model")
    '/scratch/models/a.model'
    >>> absolute_place("/nowhere/models/../a.model")
    '/nowhere/a.model'
    """
    parts = Path(path).expanduser().absolute().parts
    if ".." not in parts:
        return str(Path(*parts))
    after = len(parts) - parts[::-1].index("..")
    # What ".." means behind a link only the file system knows.
    return str(Path(os.path.realpath(Path(*parts[:after])), *parts[after:]))
