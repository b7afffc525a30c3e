"""Metadata from names."""

from __future__ import annotations

import io
import pickle

import pytest
from extxyz_samples import data_path, frame

from ingest.extxyz.importer import ExtxyzImporter
from ingest.labels.labels import LabelRules
from ingest.tables.names import NamePattern
from ingest.tables.tables import Parsed, parse
from lake.errors import InvalidInputError
from lake.structures.info_json import decode_info

LLZO = (
    r"cellrelaxed_LLZO_(?P<cleave>\d+)_(?P<termination>[A-Z][a-z]?)_(?P<order>[a-z]+\d+)_"
    r"(?P<stoichiometry>sto|off)__Li_(?P<facet>\d+)_slab_heavy_T(?P<temperature>\d+)_(?P<id>\d+)"
    r"(?:_strain(?P<strain>[+-]\d*\.?\d+))?(?P<perturbed>_perturbed)?\.cif$"
)


def parsed(text: str, pattern: str, name: str = "cu_T300.xyz") -> Parsed:
    importer = ExtxyzImporter()
    (block,) = importer.blocks(io.BytesIO(text.encode()))
    batches, rejects = importer.read(block)
    return parse(
        batches, LabelRules(), name=name, name_pattern=NamePattern(pattern), rejects=rejects
    )


def infos(found: Parsed) -> list[dict[str, object]]:
    return [decode_info(text) for text in found.structures["info"].to_pylist()]


def test_groups_become_keys_with_their_types() -> None:
    pattern = r"(?P<element>[a-z]+)_T(?P<temperature>\d+)(?:_e(?P<strain>[-.\d]+))?\.xyz"
    found = parsed(frame("a=1"), pattern, "run/cu_T300_e-0.5.xyz")
    assert infos(found) == [{"a": 1, "element": "cu", "temperature": 300, "strain": -0.5}]
    assert infos(parsed(frame("a=1"), pattern))[0]["strain"] is None


def test_an_info_key_may_be_the_name() -> None:
    found = parsed(frame("label=x_7") + frame("label=y") + frame(), r"label~_(?P<n>\d+)")
    assert [info["n"] for info in infos(found)] == [7, None, None]
    assert found.unmatched == {"y", ""}


def test_a_name_that_does_not_match_is_kept_and_listed() -> None:
    found = parsed(frame() * 2, r"P(?P<pressure>\d+)")
    assert infos(found) == [{"pressure": None}] * 2
    assert found.unmatched == {"cu_T300.xyz"}


def test_a_group_does_not_overwrite_a_key() -> None:
    found = parsed(frame("T=300") + frame("T=400"), r"T(?P<T>\d+)")
    assert found.structures["frame"].to_pylist() == [0]
    assert "has T=400, and the name pattern makes it 300" in found.rejects[0].reason


def test_a_group_may_be_the_config_type() -> None:
    assert parsed(frame(), r"(?P<config_type>[a-z]+)_").structures["config_type"].to_pylist() == [
        "cu"
    ]


@pytest.mark.parametrize(("text", "hint"), [("(", "regular expression"), ("a+", "no named group")])
def test_a_pattern_that_is_none_says_so(text: str, hint: str) -> None:
    with pytest.raises(InvalidInputError, match=hint):
        NamePattern(text)


def test_a_pattern_travels() -> None:
    pattern = NamePattern(LLZO)
    assert pickle.loads(pickle.dumps(pattern)) == pattern


def test_all_real_names_are_understood() -> None:
    pattern = NamePattern(LLZO)
    found = [pattern.match(p.name, {}) for p in sorted(data_path("llzo", "cifs").glob("*.cif"))]
    assert len(found) == 30
    assert all(match is not None for match in found)
    matches = [match for match in found if match is not None]
    assert {match["strain"] for match in matches} == {None, 2, -3, -0.015}
    assert {match["termination"] for match in matches} == {"Zr", "La", "Li", "O"}
    assert {match["temperature"] for match in matches} == {300, 450}
    # Digits with leading zeros are names, and stay as they are.
    assert {match["cleave"] for match in matches} == {"001", "010", "011"}
