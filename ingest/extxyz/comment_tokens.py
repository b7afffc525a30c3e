"""The key=value pairs of an extended XYZ comment line, as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ingest.frames.text_values import nested, value


class CommentError(ValueError):
    """A comment line that cannot be read; the text says what is wrong and where."""


class Pair(NamedTuple):
    """One key of a comment line.

    ``text`` is the value without its delimiters, None for a bare word, and ``read`` gives its
    meaning. ``is_simple`` says that it stood bare or between double quotes with no escapes.
    """

    key: str
    text: str | None
    read: Callable[[str], Any]
    is_simple: bool
    is_quoted: bool


_SPACE = re.compile(r"\s*")
_QUOTED = {
    '"': re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL),
    "'": re.compile(r"'([^'\\]*(?:\\.[^'\\]*)*)'", re.DOTALL),
}
_BARE_KEY = re.compile(r"""(?:[^\s="'{}\[\]\\,]|\\.)(?:[^\s="'\\]|\\.)*""")
_BARE_VALUE = re.compile(r"""(?:[^\s"'{}\[\]\\]|\\.)(?:[^\s"'\\]|\\.)*""")
_BRACKET_TOKEN = re.compile(r"""["'{}\[\]]""")
_EQUALS = re.compile(r"\s*=")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BARE_ESCAPE = re.compile(r"\\([\s=\"',{}\[\]\\])")
_ESCAPED = {"n": "\n", '"': '"', "'": "'", "\\": "\\"}
_CLOSING = {"{": "}", "[": "]"}


def pairs(comment: str) -> Iterator[Pair]:
    """The pairs of a comment line, in order.

    Raises
    ------
    CommentError
        A quote or bracket is not closed, or a key is missing.
    """
    position = _skip(comment, 0)
    while position < len(comment):
        key, position = _key(comment, position)
        equals = _EQUALS.match(comment, position)
        if equals is None:
            yield Pair(key, None, value, False, False)
        else:
            pair, position = _value(comment, equals.end(), key)
            yield pair
        if position < len(comment) and not comment[position].isspace():
            raise CommentError(
                f"column {position + 1} of the comment: expected a space after the value of "
                f"{key!r}, found {comment[position : position + 10]!r}"
            )
        position = _skip(comment, position)


def _skip(comment: str, position: int) -> int:
    match = _SPACE.match(comment, position)
    return match.end() if match else position


def _key(comment: str, position: int) -> tuple[str, int]:
    quote = _QUOTED.get(comment[position])
    if quote is not None:
        match = quote.match(comment, position)
        if match is None:
            raise _unclosed(comment, position)
        return _unescaped(match[1]), match.end()
    match = _BARE_KEY.match(comment, position)
    if match is None:
        raise CommentError(
            f"column {position + 1} of the comment: expected a key, found "
            f"{comment[position : position + 10]!r}"
        )
    return _BARE_ESCAPE.sub(r"\1", match[0]), match.end()


def _value(comment: str, after_equals: int, key: str) -> tuple[Pair, int]:
    start = _skip(comment, after_equals)
    if start == len(comment) or (start > after_equals and _begins_pair(comment, start)):
        return Pair(key, "", value, False, False), after_equals
    opening = comment[start]
    if opening in _QUOTED:
        match = _QUOTED[opening].match(comment, start)
        if match is None:
            raise _unclosed(comment, start)
        is_simple = opening == '"' and "\\" not in match[1]
        return Pair(key, _unescaped(match[1]), value, is_simple, True), match.end()
    if opening in _CLOSING:
        end = _closing(comment, start)
        if opening == "[":
            return Pair(key, comment[start:end], nested, False, False), end
        return Pair(key, comment[start + 1 : end - 1].strip(), value, False, False), end
    match = _BARE_VALUE.match(comment, start)
    if match is None:
        raise CommentError(
            f"column {start + 1} of the comment: expected the value of {key!r}, found "
            f"{comment[start : start + 10]!r}"
        )
    text = _BARE_ESCAPE.sub(r"\1", match[0])
    is_simple = start == after_equals and "\\" not in match[0]
    return Pair(key, text, value, is_simple, False), match.end()


def _begins_pair(comment: str, position: int) -> bool:
    """Whether another ``key=`` stands at `position`, so that the value before it is empty."""
    match = _BARE_KEY.match(comment, position)
    return match is not None and _EQUALS.match(comment, match.end()) is not None


def _closing(comment: str, start: int) -> int:
    """Where the bracket opened at `start` is closed, one past it."""
    stack: list[str] = []
    position = start
    while match := _BRACKET_TOKEN.search(comment, position):
        token, position = match[0], match.end()
        if token in _QUOTED:
            quoted = _QUOTED[token].match(comment, match.start())
            if quoted is None:
                raise _unclosed(comment, match.start())
            position = quoted.end()
        elif token in _CLOSING:
            stack.append(_CLOSING[token])
        elif stack.pop() != token:
            raise _unclosed(comment, start)
        if not stack:
            return position
    raise _unclosed(comment, start)


def _unclosed(comment: str, position: int) -> CommentError:
    return CommentError(
        f"column {position + 1} of the comment: {comment[position]} is never closed "
        f"({comment[position : position + 20]!r} …)"
    )


def _unescaped(text: str) -> str:
    # A backslash before any other character stays: ASE writes Windows paths and LaTeX as they are.
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[0]), text)
