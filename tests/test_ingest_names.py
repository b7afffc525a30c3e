"""Metadata from names."""

from __future__ import annotations

import io
import pickle
import re
from collections import Counter
from pathlib import Path

import pytest
from extxyz_samples import data_path, frame

import lake
from ingest.extxyz.importer import ExtxyzImporter
from ingest.labels.labels import LabelRules
from ingest.tables.names import NamePattern
from ingest.tables.tables import Parsed, parse
from lake.errors import InvalidInputError
from lake.structures.info_json import decode_info

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "latents-of-large-sets.md"
# The pattern that the page gives for them.
LLZO = "".join(re.findall(r"^slab\+?='(.*)'$", PAGE.read_text("utf-8"), re.MULTILINE))


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
    pattern = r"(?P<element>[a-z]+)_T(?P<temperature>\d+)(?:_e(?P<pressure>[-.\d]+))?\.xyz"
    found = parsed(frame("a=1"), pattern, "run/cu_T300_e-0.5.xyz")
    assert infos(found) == [{"a": 1, "element": "cu", "temperature": 300, "pressure": -0.5}]
    assert infos(parsed(frame("a=1"), pattern))[0]["pressure"] is None


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        *[("-3", -3), ("+2", 2), ("0", 0), ("1", 1), ("-1", -1), ("1.5", 1.5), ("+02", 2)],
        *[("-0.015", -1.5), ("0.02", 2), ("+.02", 2), ("0.07", 7), ("1e-2", 1), ("-5d-3", -0.5)],
        *[
            ("0.5%", 0.5),
            ("-3%", -3),
            ("tensile", "tensile"),
            ("nan", "nan"),
            ("1e999", "1e999"),
            ("", ""),
        ],
    ],
)
def test_a_strain_is_kept_in_percent_and_as_it_was_written(text: str, percent: float | str) -> None:
    found = NamePattern(r"_strain(?P<strain>.*)_T(?P<T>\d+)").match(f"cu_strain{text}_T300", {})
    assert found == {"strain": percent, "strain_text": text, "T": 300}
    assert type(found["strain"]) is type(percent)  # 2 and 2.0 are two texts in JSON


def test_a_name_without_a_strain_has_none() -> None:
    pattern = r"cu(?:_strain(?P<strain>[-+.\d]+))?_T"
    assert infos(parsed(frame(), pattern)) == [{"strain": None, "strain_text": None}]
    unmatched = parsed(frame(), "ni_" + pattern)
    assert infos(unmatched) == [{"strain": None, "strain_text": None}]
    assert unmatched.unmatched == {"cu_T300.xyz"}


def test_a_group_of_another_name_is_no_strain() -> None:
    assert NamePattern(r"e(?P<eps>[-.\d]+)_").match("e-0.015_", {}) == {"eps": -0.015}
    both = NamePattern(r"e(?P<strain>(?P<strain_text>[-.\d]+))_").match("e-0.015_", {})
    assert both == {"strain": -1.5, "strain_text": -0.015}


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
    # Digits with leading zeros are names, and stay as they are.
    assert {match["cleave"] for match in matches} == {"001", "010", "011"}
    strains = Counter((match["strain"], match["strain_text"]) for match in matches)
    assert strains == {(None, None): 18, (2, "+2"): 3, (-3, "-3"): 2, (-1.5, "-0.015"): 7}
    assert {match["termination"] for match in matches} == {"Zr", "La", "Li", "O"}
    assert {match["temperature"] for match in matches} == {300, 450}
    assert {match["facet"] for match in matches} == {100, 110, 111}
    assert Counter(match["perturbed"] for match in matches) == {None: 18, "perturbed": 12}


def test_real_files_are_ranked_by_what_their_names_say(tmp_path: Path) -> None:
    files = sorted(data_path("llzo", "cifs").glob("*.cif"))
    deviating = tmp_path / "LLZO slab, strain -2 %.cif"
    deviating.write_text(
        re.sub(r"(_length_a +\d+)", r"\g<1>1", files[0].read_text("utf-8")), "utf-8"
    )
    lk = lake.create(str(tmp_path / "lake"))
    report = lk.ingest("cif", [*map(str, files), str(deviating)], dataset="llzo", name_pattern=LLZO)
    assert (report.total("rows"), report.unmatched_names) == (31, [deviating.name])
    kept = "1 name does not fit --name-pattern; the structures are kept, with its keys as NULL:"
    assert f"{kept}\n  {deviating.name}" in report.text()
    keys = ("cleave", "termination", "facet", "temperature", "strain", "strain_text")
    columns = ", ".join(f"info ->> '{key}' AS {key}" for key in keys)
    rows = lk.sql(f"SELECT {columns} FROM structures").pl()
    by_strain = rows.group_by("strain", "strain_text").len().sort("strain", nulls_last=True)
    assert by_strain.rows() == [
        ("-1.5", "-0.015", 7),
        ("-3", "-3", 2),
        ("2", "+2", 3),
        (None, None, 19),
    ]
    others = rows.drop("strain", "strain_text")
    assert others.null_count().row(0) == (1, 1, 1, 1)


def test_more_names_than_a_screen_holds_are_counted(tmp_path: Path) -> None:
    for i in range(12):
        (tmp_path / f"slab-{i:02d}.xyz").write_text(frame(f"n={i}"), "utf-8")
    lk = lake.create(str(tmp_path / "lake"))
    report = lk.ingest("extxyz", [f"{tmp_path}/*.xyz"], dataset="cu", name_pattern=r"T(?P<T>\d+)")
    lines = report.text().splitlines()
    assert lines[-12].startswith("12 names do not fit --name-pattern")
    assert lines[-11:] == [*(f"  slab-{i:02d}.xyz" for i in range(10)), "  … and 2 more"]
    assert len(report.as_dict()["unmatched_names"]) == 12
