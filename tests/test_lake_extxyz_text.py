"""The way back: what is written is read as it was, by us and by ASE."""

from __future__ import annotations

import io
import math
from typing import Any

import ase.io
import numpy as np
import pyarrow as pa
import pytest
from extxyz_samples import HEAD, LATTICE, Read, data_path, frame, read
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ingest.frames.frames import FrameBatch
from ingest.labels.labels import LabelRules
from ingest.tables.tables import parse
from lake.errors import InvalidInputError
from lake.exports.extxyz_text import extxyz_text

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
WORD = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=6
)
SCALAR = st.one_of(st.none(), st.booleans(), INT64, st.floats(), TEXT)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(TEXT.filter(lambda k: k != "$float"), inner, max_size=3),
    ),
    max_leaves=6,
)
RESERVED = {"Lattice", "Properties", "pbc", "comment"}
KEY = st.one_of(st.from_regex("[a-z_]{2,8}", fullmatch=True), TEXT).filter(
    lambda key: key not in RESERVED and not LabelRules().key_map.get(key)
)
FINITE = st.floats(-1e6, 1e6)


@st.composite
def batches(draw: st.DrawFn) -> FrameBatch:
    """Frames of one to four atoms with arrays of every kind."""
    k = draw(st.integers(1, 3))
    n_atoms = np.array(draw(st.lists(st.integers(1, 4), min_size=k, max_size=k)))
    n = int(n_atoms.sum())

    def column(values: st.SearchStrategy[Any], dtype: type) -> Any:
        width = draw(st.integers(1, 3))
        rows = np.empty((n, width), dtype=dtype)
        rows.flat = draw(st.lists(values, min_size=n * width, max_size=n * width))
        return rows if width > 1 else rows[:, 0]

    kinds = [(st.floats(), float), (INT64, np.int64), (st.booleans(), bool), (WORD, object)]
    names = draw(st.lists(st.from_regex("[a-z_]{2,6}", fullmatch=True), unique=True, max_size=4))
    arrays = {
        name: column(*draw(st.sampled_from(kinds)))
        for name in names
        if name not in ("pos", "species")
    }
    arrays |= {"forces": column_of(draw, n)} if draw(st.booleans()) else {}
    infos = draw(st.lists(st.dictionaries(KEY, VALUE, max_size=4), min_size=k, max_size=k))
    if draw(st.booleans()):
        for info in infos:
            info |= {
                "energy": draw(FINITE),
                "stress": draw(st.lists(FINITE, min_size=6, max_size=6)),
            }
    has_cell = draw(st.booleans())
    return FrameBatch(
        frame=np.arange(k),
        line=np.zeros(k, np.int64),
        n_atoms=n_atoms,
        cell=np.array([np.eye(3) * draw(st.floats(1, 9)) if has_cell else np.zeros((3, 3))] * k),
        pbc=np.array([[has_cell and draw(st.booleans()) for _ in range(3)] for _ in range(k)]),
        numbers=np.array(draw(st.lists(st.integers(1, 118), min_size=n, max_size=n)), np.int16),
        positions=column_of(draw, n),
        arrays=arrays,
        info=infos,
    )


def column_of(draw: st.DrawFn, n: int) -> Any:
    return np.array(draw(st.lists(FINITE, min_size=3 * n, max_size=3 * n))).reshape(n, 3)


def rows(text: str, **options: Any) -> Read:
    return read(text, **options)


def same(found: Read, structures: pa.Table, labels: pa.Table) -> None:
    """Nothing differs but the order of keys; nan is nan."""
    assert not found.rejects
    for name in ("structure_id", "structure_check", "geometry_id", "info", "config_type"):
        assert found.structures[name].to_pylist() == structures[name].to_pylist()
    assert found.labels["label_check"].to_pylist() == labels["label_check"].to_pylist()
    assert found.labels["structure_id"].to_pylist() == labels["structure_id"].to_pylist()


@given(st.lists(batches(), min_size=1, max_size=2), st.sampled_from(["", "REF_"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_is_written_is_read_as_it_was(frames: list[FrameBatch], prefix: str) -> None:
    parts = [parse([batch], LabelRules()) for batch in frames]
    structures = pa.concat_tables([part.structures for part in parts])
    labels = pa.concat_tables([part.labels for part in parts])
    ids = structures["structure_id"].to_pylist()
    assume(len(set(ids)) == len(ids))
    text = extxyz_text(structures, labels, label_prefix=prefix)
    same(read(text), structures, labels)


def test_real_files_come_back() -> None:
    paths = sorted(data_path("acac").glob("*.xyz"))
    assert paths
    for path in paths:
        first = read(path.read_bytes())
        for prefix in ("", "REF_"):
            text = extxyz_text(first.structures, first.labels, label_prefix=prefix)
            second = read(text)
            assert second.structures.equals(first.structures)
            assert second.labels.equals(first.labels)


def test_ase_reads_the_same_numbers() -> None:
    text = (
        frame(
            f'{LATTICE} energy=-1.5 stress="1 2 3 .4 .5 .6" pbc="T F T" n=3 f=1.0 name="a b" '
            'digits="_JSON \\"12\\"" empty="" v="1.5 2.5" '
            'nested="_JSON {\\"a\\": \\"q\\\\\\"z\\"}"',
            "Cu 0.1 1e-17 0.30000000000000004 1 2 3 7 T\nNi 1.5 1 1 4 5 1e300 8 F\n",
            columns=f"{HEAD}:forces:R:3:tags:I:1:flag:L:1",
        )
        + frame()
    )
    found = read(text)
    assert not found.rejects
    written = extxyz_text(found.structures, found.labels).decode()
    first, second = ase.io.read(io.StringIO(written), ":", format="extxyz")
    assert first.positions[0].tolist() == [0.1, 1e-17, 0.30000000000000004]
    assert first.get_potential_energy() == -1.5
    assert first.get_forces()[1, 2] == 1e300
    assert first.get_stress().tolist() == [1.0, 2.0, 3.0, 0.4, 0.5, 0.6]
    assert first.cell.array.tolist() == (np.eye(3) * 4).tolist()
    assert first.pbc.tolist() == [True, False, True]
    assert first.get_tags().tolist() == [7, 8]
    assert first.arrays["flag"].tolist() == [True, False]
    assert first.info.pop("v").tolist() == [1.5, 2.5]
    assert first.info == {
        "n": 3, "f": 1.0, "name": "a b", "digits": "12", "empty": "", "nested": {"a": 'q"z'},
    }  # fmt: skip
    assert not second.cell.array.any()
    assert second.calc is None


TRICKY = ["12", "1.5", "nan", "T", "true", "1d3", "007", "1 2", "T F", "", " a", "_JSON", "a\nb"]
TRICKY += ["\u0661", '"', "\\", "a=b", "[1]", "é", "300K", "a,b"]


@pytest.mark.parametrize(
    "value",
    [
        *TRICKY,
        *(None, [], [1], [1, 2.5], [True, 1], ["a"], {"a": {}}, [[1, 2], [3, 4]]),
        *(math.inf, [math.nan, 1.0], -0.0, 2**63 - 1),
    ],
)
def test_a_value_keeps_its_type(value: object) -> None:
    batch = FrameBatch(
        np.array([0]), np.array([1]), np.array([1]), np.zeros((1, 3, 3)), np.zeros((1, 3), bool),
        np.array([29], np.int16), np.zeros((1, 3)), {}, [{"key": value}],
    )  # fmt: skip
    first = parse([batch], LabelRules())
    same(read(extxyz_text(first.structures)), first.structures, first.labels)


@pytest.mark.parametrize("prefix", ["", "REF_"])
def test_an_equal_second_name_stays(prefix: str) -> None:
    text = frame(
        "REF_energy=1.5 energy=1.5 free_energy=1.5",
        "Cu 0 0 0 1 2 3 1 2 3\n",
        columns=f"{HEAD}:REF_forces:R:3:forces:R:3",
    )
    first = read(text)
    same(
        read(extxyz_text(first.structures, first.labels, label_prefix=prefix)),
        first.structures,
        first.labels,
    )


def test_labels_find_their_structure() -> None:
    first = read(frame("energy=1") + frame("a=1") + frame("a=2 energy=3"))
    shuffled = first.labels.take([1, 0])
    second = read(extxyz_text(first.structures, shuffled))
    assert second.labels["energy"].to_pylist() == [1.0, 3.0]
    assert read(extxyz_text(first.structures)).labels.num_rows == 0
    assert extxyz_text(first.structures.slice(0, 0)) == b""
    sliced = read(extxyz_text(first.structures.slice(1), first.labels.slice(1)))
    assert sliced.column("structure_id") == first.column("structure_id")[1:]


def test_two_rows_of_labels_are_refused() -> None:
    first = read(frame("energy=1"))
    with pytest.raises(InvalidInputError, match="two rows of labels"):
        extxyz_text(first.structures, pa.concat_tables([first.labels] * 2))


def test_text_with_spaces_cannot_stand_in_a_column() -> None:
    batch = FrameBatch(
        np.array([0]), np.array([1]), np.array([1]), np.zeros((1, 3, 3)), np.zeros((1, 3), bool),
        np.array([29], np.int16), np.zeros((1, 3)), {"tag": np.array(["a b"], object)}, [{}],
    )  # fmt: skip
    with pytest.raises(InvalidInputError, match="spaces separate"):
        extxyz_text(parse([batch], LabelRules()).structures)
