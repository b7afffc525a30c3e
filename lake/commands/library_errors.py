"""Errors of the libraries underneath that mean a file or a place is at fault, not the program."""

from __future__ import annotations

import errno
import sys

# Module and name of the base of each library's errors; a library not loaded raised nothing.
_BASES = (
    ("duckdb", "Error"),
    ("pyarrow", "ArrowException"),
    ("deltalake.exceptions", "DeltaError"),
    ("polars.exceptions", "PolarsError"),
)


def library_errors() -> tuple[type[Exception], ...]:
    """The error classes of the libraries loaded so far, of one that is not there, and OSError."""
    loaded = [(sys.modules.get(module), name) for module, name in _BASES]
    known = (getattr(module, name) for module, name in loaded if module is not None)
    return (OSError, ModuleNotFoundError, *known)


def is_broken_pipe(error: Exception) -> bool:
    """Whether whoever read the output has gone, as ``head`` does; Polars gives no errno."""
    number = getattr(error, "errno", None)
    return number == errno.EPIPE or "Broken pipe" in str(error)


def failure_text(error: Exception) -> str:
    """What to tell of such an error: its first line, and what to do."""
    first_line = str(error).partition("\n")[0]
    if isinstance(error, ModuleNotFoundError):
        return (
            f"{sys.executable}: {first_line}. The command line needs all that atomlake depends on, "
            "and the environment of a model has only what a worker needs. Run atomlake from the "
            "environment it was installed into as a whole."
        )
    return (
        f"{first_line}. A file or folder cannot be used as it is. Check path, space left and "
        "permissions; if it belongs to the lake, run 'atomlake check'."
    )
