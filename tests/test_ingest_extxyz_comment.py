"""The comment line: every kind of value, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from ase.io.extxyz import key_val_dict_to_str, key_val_str_to_dict
from extxyz_samples import HEAD, LATTICE
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.extxyz.comment import Comment, read_comments
from ingest.extxyz.comment_tokens import CommentError


def comment(text: str | bytes) -> Comment:
    (found,) = read_comments([text if isinstance(text, bytes) else text.encode()])
    if isinstance(found, CommentError):
        raise found
    return found


def info(text: str) -> dict[str, Any]:
    return comment(f"{HEAD} {text}").info


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=12", 12),
        ("a=-3", -3),
        ("a=9223372036854775807", 2**63 - 1),
        ("a=-9223372036854775808", -(2**63)),
        ("a=9223372036854775808", "9223372036854775808"),
        ("a=12345678901", 12345678901),
        ("a=007", "007"),
        ("a=1.5", 1.5),
        ("a=.5", 0.5),
        ("a=1D3", 1000.0),
        ("a=1d-3", 0.001),
        ("a=1e5", 1e5),
        ("a=inf", math.inf),
        ("a=-Infinity", -math.inf),
        ("a=1_000", "1_000"),
        ("a=1.0_0", "1.0_0"),
        ("a=0x10", "0x10"),
        ("a=2024-01-31", "2024-01-31"),
        ("a=\u0661.\u0665", "\u0661.\u0665"),
        ("a=T", True),
        ("a=false", False),
        ("a", True),
        ("a=bulk", "bulk"),
        ('a="hello world"', "hello world"),
        ("a='hello world'", "hello world"),
        ('a="12"', 12),
        ('a=""', ""),
        ("a=", ""),
        ("a= b=3", ""),
        ("a = 5", 5),
        ('a="1 2 3"', [1, 2, 3]),
        ("a=1,2,3", [1, 2, 3]),
        ('a="1.0 2"', [1.0, 2.0]),
        ('a="T F T"', [True, False, True]),
        ('a="T 1"', "T 1"),
        ('a="1 x"', "1 x"),
        ("a={1 2 3}", [1, 2, 3]),
        ("a={a b}", "a b"),
        ("a=[1,2,3]", [1, 2, 3]),
        ("a=[5]", [5]),
        ("a=[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("a=[1.5, 2]", [1.5, 2.0]),
        ("a=[T, F]", [True, False]),
        ('a=[x, "y z"]', ["x", "y z"]),
        (r'a="q\"q"', 'q"q'),
        (r'a="l1\nl2"', "l1\nl2"),
        (r'a="b\\s"', "b\\s"),
        (r'a="C:\temp dir"', "C:\\temp dir"),
        ("a=C:\\temp", "C:\\temp"),
        (r'a="_JSON {\"x\": [1, 2.5, null]}"', {"x": [1, 2.5, None]}),
        (r'a="_JSON \"12\""', "12"),
        ('a="_JSON [[1, 2], [3, 4]]"', [[1, 2], [3, 4]]),
        ('a="_JSON nonsense"', "_JSON nonsense"),
        (r'a="_JSON \"\\ud800\""', '_JSON "\\ud800"'),
        ("a=b=c", "b=c"),
    ],
)
def test_a_value_has_its_type(text: str, value: object) -> None:
    found = info(text)
    assert found["a"] == value
    assert type(found["a"]) is type(value)


def test_keys_may_be_quoted_or_beyond_ascii() -> None:
    assert info('"my key"=3 ü=é k.x=4 k-2=5 k:y=6') == {
        "my key": 3, "ü": "é", "k.x": 4, "k-2": 5, "k:y": 6,
    }  # fmt: skip


def test_nan_is_a_float() -> None:
    assert math.isnan(info("a=nan")["a"])
    found = info('a="1 2.5 nan"')["a"]
    assert found[:2] == [1.0, 2.5]
    assert math.isnan(found[2])


def test_nan_in_json_is_a_float() -> None:
    assert math.isnan(info('a="_JSON [NaN, 1]"')["a"][0])


def test_latin_1_is_read_where_utf_8_fails() -> None:
    assert comment(f"{HEAD} a=café".encode("latin-1")).info == {"a": "café"}
    assert comment(f"{HEAD} a=café".encode()).info == {"a": "café"}


@pytest.mark.parametrize("size", [30_000, 300_000])
def test_a_comment_may_be_long(size: int) -> None:
    occupancy = ", ".join(rf"\"{i}\": {{\"Li\": 1.0}}" for i in range(size // 25))
    found = info(f'a=1 occupancy="_JSON {{{occupancy}}}" b="{"x" * size}"')
    assert len(found["occupancy"]) == size // 25
    assert len(found["b"]) == size


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('a="unclosed b=3', 'column 34 of the comment: " is never closed'),
        ("a={1 2", "{ is never closed"),
        ("a=[1, (2]]", "expected a space after the value of 'a'"),
        ('a=b"c d"', "expected a space after the value of 'a'"),
        ("=3", "expected a key"),
        ("a=1 a=2", "the key 'a' stands twice in the comment, with different values: '1' and '2'"),
        ('Lattice="1 2 3 4"', "9 numbers expected"),
        ('Lattice="a b c"', "9 numbers expected"),
        ('pbc="T T"', "three of T and F expected"),
        ('pbc="2 0 1"', "three of T and F expected"),
        ("Properties=pos:R:3", "stands twice"),
    ],
)
def test_a_malformed_comment_says_where(text: str, reason: str) -> None:
    with pytest.raises(CommentError) as error:
        info(text)
    assert reason in str(error.value)


def test_a_key_may_repeat_with_the_same_value() -> None:
    assert info("a=1 b=2 a=1") == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("species:S:1:pos:R:3:x", "do not come in threes"),
        ("species:S:1:pos:R:3:x:R:1:x:R:1", "the column 'x' is declared twice"),
        ("species:S:1", "no column pos:R:3"),
        ("species:S:1:pos:S:3", "no column pos:R:3"),
        ("species:S:1:pos:R:2", "no column pos:R:3"),
        ("species:S:1:pos:R:3:x:Q:1", "type 'Q'"),
        ("species:S:1:pos:R:3:x:R:0", "width '0'"),
        ("species:S:1:pos:R:3:x:R:1.5", "width '1.5'"),
        ("pos:R:3", "neither a column species:S:1 nor Z:I:1"),
        ("", "do not come in threes"),
    ],
)
def test_impossible_columns_are_refused(text: str, reason: str) -> None:
    with pytest.raises(CommentError) as error:
        comment(f"Properties={text} a=1")
    assert reason in str(error.value)


def test_cell_is_read_in_every_form() -> None:
    rows = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)
    assert comment(f'{HEAD} Lattice="1 2 3 4 5 6 7 8 10"').cell == rows
    assert comment(f"{HEAD} Lattice=[[1, 4, 7], [2, 5, 8], [3, 6, 10]]").cell == rows
    assert comment(f'{HEAD} Lattice="1 2 3"').cell == (1, 0, 0, 0, 2, 0, 0, 0, 3)
    assert comment(HEAD).cell == (0.0,) * 9


def test_pbc_follows_the_cell_unless_given() -> None:
    assert comment(HEAD).pbc == (False, False, False)
    assert comment(f"{LATTICE} {HEAD}").pbc == (True, True, True)
    assert comment(f'{LATTICE} {HEAD} pbc="T F T"').pbc == (True, False, True)
    assert comment(f'{LATTICE} {HEAD} pbc="1 0 0"').pbc == (True, False, False)
    assert comment(f"{LATTICE} {HEAD} pbc=F").pbc == (False, False, False)


@pytest.mark.parametrize("text", ["water molecule, step 3", "5", "it's", 'a "b', "E = 5 is low"])
def test_plain_text_is_kept_whole(text: str) -> None:
    assert comment(text).info == {"comment": text}


def test_keys_without_properties_are_keys() -> None:
    assert comment("energy=3 config_type=x").info == {"energy": 3, "config_type": "x"}


def test_lines_alike_are_read_as_with_care() -> None:
    lines = [
        f'{HEAD} e={e} v="{v}" name={name} note="{note}"'
        for e, v, name, note in [
            ("1.5", "1.0 2.0", "a", "x y"),
            ("-2e-05", "1e-05 2.0", "7", "1 2"),
            ("3", "1 2", "T", "12"),
            ("1.", "1.0 2.0 3.0", "1.5", ""),
            ("nan", "1.02.0 3", "nan", "_JSON [1]"),
            ("00.5", "+1.5 -.5", "007", "a=b"),
            (".5", "1.5", "1,2", "'"),
            ("1.5E3", " 1.0  2.0 ", "x", " padded "),
        ]
    ]
    together = read_comments([line.encode() for line in lines])
    for line, found in zip(lines, together, strict=True):
        assert repr(found) == repr(comment(line)), line


scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2).map(np.array),
    st.lists(st.floats(), min_size=2).map(np.array),
    st.lists(st.booleans(), min_size=2).map(np.array),
)


@given(st.dictionaries(st.from_regex("[a-z][a-z_]{2,8}", fullmatch=True), scalars, max_size=4))
@example({"fortran": "0D0"})
def test_what_ase_writes_is_read_as_ase_reads_it(written: dict[str, Any]) -> None:
    line = key_val_dict_to_str(written)
    with np.errstate(all="ignore"):
        expected = key_val_str_to_dict(line) if line else {}
    found = info(line)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        ours = found[key]
        if isinstance(ours, str) and not isinstance(value, str):
            # Names ASE takes for numbers: leading zeros, more than 64 bits.
            assert ours.lstrip("0") in ("", str(value)) or float(ours) == value
            continue
        if isinstance(value, str) and not isinstance(ours, str):
            # A number as Fortran writes it, which libAtoms reads and ASE takes for a name.
            assert float(value.upper().replace("D", "E")) == ours
            continue
        assert np.array_equal(np.asarray(ours), np.asarray(value), equal_nan=_is_float(value))


def _is_float(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"
