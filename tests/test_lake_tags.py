"""Tags: given once, for good."""

from __future__ import annotations

from pathlib import Path

import pytest
from lake_samples import append, structure
from writer_samples import once_planned

import lake
from lake.errors import ConflictError, InvalidInputError, NotFoundError
from lake.lake import Lake
from lake.versions.tags import add_tag


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    lk = lake.create(str(tmp_path / "lake"))
    append(lk, structures=[structure(1)])
    append(lk, structures=[structure(2)])
    return lk


def test_a_tag_opens_the_version_it_was_given_to(lk: Lake) -> None:
    assert lk.tag("first", 1, "one structure") == 1
    assert lk.tag("second") == 3  # tagging was a commit too
    assert lk.at("first").scan("structures").collect()["structure_id"].to_list() == [1]
    assert lk.tags().select("tag", "version", "message").rows() == [
        ("first", 1, "one structure"),
        ("second", 3, None),
    ]


def test_version_zero_can_be_tagged(lk: Lake) -> None:
    assert lk.tag("empty", 0) == 0
    assert lk.at("empty").scan("structures").collect().is_empty()


def test_a_name_is_given_once(lk: Lake) -> None:
    lk.tag("paper", 1)
    with pytest.raises(ConflictError, match="version 1 already"):
        lk.tag("paper", 2)
    assert lk.version == 3


@pytest.mark.parametrize("name", ["17", "a/b", "", "../x"])
def test_names_that_would_be_read_as_something_else_are_refused(lk: Lake, name: str) -> None:
    with pytest.raises(InvalidInputError):
        lk.tag(name)


@pytest.mark.parametrize("version", [-1, 3])
def test_a_version_that_is_not_there_is_refused(lk: Lake, version: int) -> None:
    with pytest.raises(NotFoundError, match="versions 0 to 2"):
        lk.tag("next", version)


def test_an_unknown_tag_names_the_near_ones(lk: Lake) -> None:
    lk.tag("paper-v1")
    with pytest.raises(NotFoundError, match="paper-v1"):
        lk.at("paper-v2")


def test_of_two_writers_with_one_name_the_second_is_refused(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Lake(lk.storage)
    once_planned(monkeypatch, lk, lambda: add_tag(other, "paper", 1))
    with pytest.raises(ConflictError, match="version 1 already"):
        add_tag(lk, "paper", 2)
    assert other.at("paper").version == 1
    assert len(other.tags()) == 1


def test_a_writer_overtaken_by_another_name_goes_on(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Lake(lk.storage)
    once_planned(monkeypatch, lk, lambda: add_tag(other, "theirs", 1))
    add_tag(lk, "mine", 2)
    assert other.tags()["tag"].to_list() == ["theirs", "mine"]
