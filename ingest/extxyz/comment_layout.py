"""Comment lines with the same keys in the same order, read as columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from ingest.extxyz.atoms import read_float_rows
from ingest.extxyz.comment_tokens import Pair
from ingest.frames.text_values import value

_FLOAT = r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
_FLOATS = r"[-+0-9.eE ]*"
_QUOTED = r'[^"\\]*'
_BARE = r"""[^\s"'{}\[\]\\][^\s"'\\]*"""
_LONGEST_REMEMBERED = 32

Texts = tuple[str, ...]


class CommentLayout:
    """The keys of a comment line in order, and what their values look like.

    Parameters
    ----------
    pairs
        A line read with care; every pair of it is simple.
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        kinds = [_kind(pair) for pair in pairs]
        self.keys = [pair.key for pair in pairs]
        self._converters = [kind[1] for kind in kinds]
        self._pattern = re.compile(
            r"[ \t]+".join(
                re.escape(pair.key) + (f'="({kind[0]})"' if pair.is_quoted else f"=({kind[0]})")
                for pair, kind in zip(pairs, kinds, strict=True)
            )
        )

    def match(self, line: str) -> Texts | None:
        """The text of each value in `line`; None when it is laid out differently."""
        match = self._pattern.fullmatch(line)
        return None if match is None else match.groups()

    def values(self, index: int, texts: Texts) -> list[Any]:
        """The values of the key number `index`, one per line."""
        converter = self._converters[index]
        if converter is not _any:
            floats = read_float_rows(texts) if converter is float or _are_vectors(texts) else None
            return list(map(converter, texts)) if floats is None else floats.tolist()
        known = {text: _any(text) for text in set(texts)}
        # A list is mutable, and no two frames may share one.
        is_shareable = not any(isinstance(found, list | dict) for found in known.values())
        return [known[text] for text in texts] if is_shareable else list(map(value, texts))


def _kind(pair: Pair) -> tuple[str, Callable[[str], Any]]:
    """Pattern and reader of values that look like the one of `pair`."""
    text = pair.text or ""
    if not pair.is_quoted:
        return (_FLOAT, float) if re.fullmatch(_FLOAT, text) else (_BARE, _any)
    is_floats = " " in text and re.fullmatch(_FLOATS, text)
    return (_FLOATS, _floats) if is_floats else (_QUOTED, _any)


def _are_vectors(texts: Texts) -> bool:
    """Whether texts of digits, signs, points and spaces all hold equally many floats, 2 or more."""
    n_words = len(texts[0].split())
    # As many points as words: none is an integer, or two numbers in one.
    return n_words > 1 and {text.count(".") for text in texts} == {n_words}


def _floats(text: str) -> Any:
    """The value of a text of digits, signs, points and spaces."""
    words = text.split()
    if len(words) > 1 and text.count(".") == len(words):
        try:
            return list(map(float, words))
        except ValueError:
            pass
    return value(text)


def _any(text: str) -> Any:
    return _remembered(text) if len(text) < _LONGEST_REMEMBERED else value(text)


_remembered = lru_cache(maxsize=4096)(value)
