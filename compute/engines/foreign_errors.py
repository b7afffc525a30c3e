"""What the code of others raises when it is given something it cannot use."""

from __future__ import annotations

import pickle
import struct
import subprocess
import zipfile

# Calculators and unpickled files raise whatever they happen to run into. Out of memory, a signal
# and a way out are not among them.
FOREIGN_ERRORS: tuple[type[Exception], ...] = (
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
    TypeError,
    ValueError,
    pickle.PickleError,
    struct.error,
    subprocess.SubprocessError,
    zipfile.BadZipFile,
)


def described(error: BaseException) -> str:
    """The error as one line: its class and the first line of its text."""
    text = str(error).strip()
    first_line = text.partition("\n")[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
