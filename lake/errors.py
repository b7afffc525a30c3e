"""What can go wrong, grouped by what the one who catches it does."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class AtomlakeError(Exception):
    """Any error atomlake raises on purpose. Its text says what, what was expected, what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:  # KeyError would show the repr
        return self.message


class InvalidInputError(AtomlakeError, ValueError):
    """The user's input is wrong: mend it and try again."""


class NotFoundError(AtomlakeError, KeyError):
    """A name that does not exist."""

    @classmethod
    def among(cls, kind: str, name: object, known: Iterable[object]) -> NotFoundError:
        """An error that lists what there is, nearest first."""
        names = sorted(str(k) for k in known)
        near = get_close_matches(str(name), names, n=3, cutoff=0.5)
        if near:
            hint = f"Did you mean {', '.join(near)}?"
        elif names:
            more = f" and {len(names) - 10} more" if len(names) > 10 else ""
            hint = f"There are: {', '.join(names[:10])}{more}."
        else:
            hint = "There are none."
        return cls(f"No {kind} is called {str(name)!r}. {hint}")


class ConflictError(AtomlakeError):
    """Another writer got there first, and what it wrote stands against this."""


class StorageError(AtomlakeError, OSError):
    """The storage refused: disk full, read-only, or out of reach."""


class CorruptLakeError(AtomlakeError):
    """Files of the lake are missing or not what was written."""


class JobFailedError(AtomlakeError):
    """A computation or a worker failed."""
