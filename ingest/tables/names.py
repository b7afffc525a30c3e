"""Metadata from names: parts of a file name or of an info key that become info keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from ingest.frames.frames import FrameBatch, Info
from ingest.frames.text_values import number
from ingest.labels.labels import Faults
from ingest.tables.strain import KEY, TEXT_KEY, strain_keys
from lake.errors import InvalidInputError

_INFO_KEY = re.compile(r"(?P<key>[\w.-]+)~(?P<pattern>.*)", re.DOTALL)


@dataclass(frozen=True)
class NamePattern:
    """A regular expression whose named groups become info keys.

    It is searched in the base name of the file, or with ``KEY~REGEX`` in the info key KEY. A group
    that reads as a number becomes one. A group called strain becomes percent, with its text beside
    it; see `ingest.tables.strain`.

    Raises
    ------
    InvalidInputError
        It is no regular expression, or has no named group.

    Examples
    --------
    >>> NamePattern(r"T(?P<temperature>\\d+)").match("slab_T300.cif", {})
    {'temperature': 300}
    """

    text: str

    def __post_init__(self) -> None:
        try:
            pattern = self._pattern
        except re.error as error:
            raise InvalidInputError(
                f"--name-pattern {self.text}: {error}. Give a regular expression of Python."
            ) from None
        if not pattern.groupindex:
            raise InvalidInputError(
                f"--name-pattern {self.text}: it has no named group, so nothing would come of it. "
                "Name what you want: (?P<temperature>[0-9]+)"
            )

    @property
    def _source(self) -> re.Match[str] | None:
        return _INFO_KEY.fullmatch(self.text)

    @property
    def _pattern(self) -> re.Pattern[str]:
        source = self._source
        return re.compile(source["pattern"] if source else self.text)  # re keeps what it compiled

    def subject(self, file_name: str, info: Info) -> str:
        """The text the pattern is searched in."""
        source = self._source
        if source is None:
            return PurePath(file_name).name
        return str(info.get(source["key"], ""))

    def match(self, file_name: str, info: Info) -> Info | None:
        """The keys that come of a file name or info key; None when the pattern is not found."""
        found = self._pattern.search(self.subject(file_name, info))
        if found is None:
            return None
        texts = found.groupdict()
        strain = strain_keys(texts[KEY]) if KEY in texts else {}
        return strain | {key: _value(text) for key, text in texts.items() if key != KEY}

    def nothing(self) -> Info:
        """The same keys, each None: what a name that does not match gets."""
        groups = self._pattern.groupindex
        return dict.fromkeys([*groups, TEXT_KEY] if KEY in groups else groups)


def apply_pattern(
    batch: FrameBatch, pattern: NamePattern, file_name: str, faults: Faults, unmatched: set[str]
) -> FrameBatch:
    """Add the keys that come of `pattern` to every frame.

    A name that does not match goes into `unmatched`; a frame with another value under one of the
    keys goes into `faults`.
    """
    infos = []
    for i, info in enumerate(batch.info):
        found = pattern.match(file_name, info)
        if found is None:
            unmatched.add(pattern.subject(file_name, info))
            infos.append(pattern.nothing() | info)
            continue
        for key, value in found.items():
            if info.get(key, value) != value:
                faults.setdefault(
                    i,
                    f"has {key}={info[key]!r}, and the name pattern makes it {value!r}. Give the "
                    "group another name",
                )
        infos.append(info | found)
    return replace(batch, info=infos)


def _value(text: str | None) -> Any:
    if text is None:
        return None
    found = number(text)
    return text if found is None else found
