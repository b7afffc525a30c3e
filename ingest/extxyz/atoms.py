"""The atom lines of extended XYZ, read by the library of libAtoms."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.extxyz.columns import Column, Columns

Arrays = dict[str, NDArray[Any]]

# The library gives every text of a column the width of the longest one.
_LONGEST_WORD = 256
_STRIDE = 13


class AtomLinesError(ValueError):
    """The library does not take these lines, which is not to say that they are bad."""


def read_atoms(lines: Sequence[bytes], n_atoms: int, columns: Columns) -> Arrays:
    """Read the atom lines of one frame, or of many with the same columns, in one go.

    Parameters
    ----------
    lines
        The atom lines of each frame.
    n_atoms
        Atoms in all, at least 1: the library crashes on none.

    Returns
    -------
    Arrays
        Each column by its name. Shape (n_atoms,) or (n_atoms, width).

    Raises
    ------
    AtomLinesError
        The library refuses the lines, or would read them wrongly.
    """
    text = b"".join([b"%d\n\n" % n_atoms, *lines])
    if b"\0" in text or _may_have_long_word(text):
        # The library ends a line at a NUL byte without a word.
        raise AtomLinesError("NUL byte or very long word")
    raw = _read(text, _properties(columns))
    is_ascii = text.isascii()
    arrays: Arrays = {}
    for i, column in enumerate(columns.all):
        values = raw[f"c{i}"]
        if len(values) != n_atoms:
            raise AtomLinesError("fewer atoms than announced")
        arrays[column.name] = _converted(values, column, column is columns.elements, is_ascii)
    return arrays


def read_float_rows(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """Rows of floats, all of one length; None where the library does not take them.

    Faster by an order of magnitude than `float`, word by word.

    Returns
    -------
    NDArray[np.float64] | None
        Shape (n,) or (n, width).
    """
    width = len(texts[0].split())
    text = f"{len(texts)}\n\n" + "\n".join(texts) + "\n"
    try:
        rows = _read(text.encode(), f"Properties=c0:R:{width}")["c0"]
    except AtomLinesError:
        return None
    return rows if len(rows) == len(texts) else None


def _properties(columns: Columns) -> str:
    # Names of our own, as the library takes only plain ones; integers as text, as it reads them
    # into 32 bits and wraps silently what does not fit.
    return "Properties=" + ":".join(
        f"c{i}:{'S' if column.kind == 'I' else column.kind}:{column.width}"
        for i, column in enumerate(columns.all)
    )


def _converted(
    values: NDArray[Any], column: Column, is_element: bool, is_ascii: bool
) -> NDArray[Any]:
    if column.width > 1 and values.ndim == 1:
        values = values.reshape(-1, column.width)
    if column.kind == "I":
        return integers(values)
    if column.kind == "S" and not (is_element and is_ascii):
        values = values.astype(object)
        return values if is_ascii else _decoded(values)
    return values


def integers(words: NDArray[Any]) -> NDArray[np.int64]:
    """Words as integers.

    Raises
    ------
    AtomLinesError
        One is no integer, or does not fit 64 bits.
    """
    letters = np.ascontiguousarray(words).view(np.uint32)
    if (letters == ord("_")).any():
        raise AtomLinesError("no integer")  # int() would take 1_000
    try:
        return words.astype(np.int64)
    except (ValueError, OverflowError) as error:
        raise AtomLinesError(str(error)) from None


def _decoded(words: NDArray[Any]) -> NDArray[Any]:
    """Words the library took for Latin-1, as UTF-8 where they are."""
    decoded = np.empty(words.shape, dtype=object)
    decoded.reshape(-1)[:] = [text_of(word.encode("latin-1")) for word in words.flat]
    return decoded


def text_of(word: bytes) -> str:
    """A word as UTF-8, or Latin-1 where it is not."""
    try:
        return word.decode()
    except UnicodeDecodeError:
        return word.decode("latin-1")


def _may_have_long_word(text: bytes) -> bool:
    sample = np.frombuffer(text, np.uint8)[::_STRIDE] > 32
    if b"\1" * (_LONGEST_WORD // _STRIDE) not in sample.tobytes():
        return False
    return max(map(len, text.split())) > _LONGEST_WORD


# The library lets go of the interpreter while it reads, but keeps state of its own: two threads
# in it at once spoil each other's frames.
_ONE_AT_A_TIME = Lock()


@cache
def _libc() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    library.fmemopen.restype = ctypes.c_void_p
    library.fmemopen.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p]
    return library


def _read(text: bytes, properties: str) -> Arrays:
    """Have the library read `text` from memory."""
    from extxyz import cextxyz

    pointer = _libc().fmemopen(text, len(text), b"r")
    if not pointer:
        raise MemoryError("no memory to read atom lines")
    file = cextxyz.FILE_ptr(pointer)
    try:
        with _ONE_AT_A_TIME:
            _, _, arrays = cextxyz.read_frame_dicts(file, comment=properties, use_cleri=False)
    except (cextxyz.ExtXYZError, EOFError, ValueError) as error:
        raise AtomLinesError(str(error)) from None
    finally:
        cextxyz.cfclose(file)
    return dict(arrays)
