"""What the code of others raises when it is given something it cannot use."""

from __future__ import annotations

import pickle
import struct
import subprocess
import zipfile

# Calculators and unpickled files raise whatever they happen to run into, also what is meant to end
# the process. Out of memory and a signal are not among them.
FOREIGN_ERRORS: tuple[type[BaseException], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    StopIteration,
    SyntaxError,
    SystemExit,
    TypeError,
    ValueError,
    pickle.PickleError,
    struct.error,
    subprocess.SubprocessError,
    zipfile.BadZipFile,
)
# A damaged file can ask for more memory than there is.
LOADING_ERRORS: tuple[type[BaseException], ...] = (*FOREIGN_ERRORS, MemoryError)
LONG_LINE = 160


def described(error: BaseException) -> str:
    """The error as one line: its class and the first line of its text, or sentence if that is long.

    >>> described(ValueError("too small.\\nIt was 3."))
    'ValueError: too small'
    """
    # An output that was no UTF-8 leaves characters no table can hold.
    text = str(error).encode("utf-8", "backslashreplace").decode("utf-8")
    text = text.strip().partition("\n")[0]
    if len(text) > LONG_LINE:
        text = text.partition(". ")[0]
    text = text.rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
