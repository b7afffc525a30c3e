"""Extended XYZ from bytes to rows: bad atoms, odd text, and the same numbers as ASE."""

from __future__ import annotations

import math

import ase.io
import numpy as np
import pytest
from extxyz_samples import HEAD, LATTICE, data_path, frame, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GOOD = frame("name=good")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (frame(atoms="Cu 0 0 0\nCu 0 0\n"), "line 8 has 3 values where the columns make 4"),
        (frame(atoms="Cu 0 0 0\nCu 0 0 0 7\n"), "line 8 has 5 values where the columns make 4"),
        (frame(atoms="Cu 0 0 0\nCu 0 0 x\n"), "line 8 has 'x' in column 'pos'; a number expected"),
        (frame(atoms="Cu 0 0 0\nCu 1_0 0 0\n"), "line 8 has '1_0' in column 'pos'"),
        (frame(atoms="Cu 0 0 0\nCu **** 0 0\n"), "line 8 has '****' in column 'pos'"),
        (frame(atoms="Cu 0 0 0\nCu 0 0 0\0z\n"), "line 8"),
        (frame(atoms="Cu 0 0 0\nCu1 0 0 0\n"), "line 8 names the element Cu1"),
        (frame(atoms="X 0 0 0\nCu 0 0 0\n"), "line 7 names the element X"),
        (frame(atoms="Cu 0 0 0\ncu 0 0 0\n"), "line 8 names the element cu"),
        (frame(atoms="Cu 0 0 0\nCé 0 0 0\n"), "line 8 names the element Cé"),
        (frame(atoms="Cu 0 0 0\nCu 0 nan 0\n"), "atom 1 has the position [0.0, nan, 0.0]"),
        (frame(atoms="Cu 0 0 0\nCu 0 1e999 0\n"), "atom 1 has the position [0.0, inf, 0.0]"),
        (frame(atoms="Cu 0 0 0\n\nCu 0 0 0\n", n=3), "line 8 has 0 values"),
        (frame("a=1 a=2"), "'a' stands twice"),
        (frame('a="x'), "is never closed"),
        (frame('Lattice="1 2"'), "9 numbers expected"),
        (frame('Lattice="nan 0 0 0 1 0 0 0 1"'), "has the cell"),
        (frame('Lattice="1 0 0 0 1 0 1 1 0"'), "span no volume"),
        (frame('Lattice="0 0 0 0 0 0 0 0 0"'), "span no volume"),
        (frame('pbc="T F F"'), "span no volume"),
        (frame('pbc="T T F" Lattice="1 0 0 2 0 0 0 0 1"'), "span no volume"),
        (frame(columns="Properties=species:S:1:pos:R:3:x:R:1:x:R:1"), "declared twice"),
        (frame(columns="Properties=Z:I:1:pos:R:3", atoms="0 0 0 0\n"), "names the element 0"),
        (frame(columns="Properties=Z:I:1:pos:R:3", atoms="999 0 0 0\n"), "names the element 999"),
    ],
)
def test_a_bad_frame_is_refused_and_the_good_ones_go_in(bad: str, reason: str) -> None:
    found = read(GOOD + bad + GOOD)
    assert found.column("frame") == [0, 2]
    (reject,) = found.rejects
    assert reason in reject.reason
    assert (reject.frame, reject.line) == (1, 5)


def test_a_reject_shows_the_beginning_of_the_frame() -> None:
    (reject,) = read(GOOD + frame(atoms="Cu 0 0 x\n" * 100)).rejects
    assert reject.excerpt.startswith(f"100\n{HEAD}")
    assert len(reject.excerpt) <= 400


@pytest.mark.parametrize(
    ("pbc", "lattice"),
    [
        ("F F F", "0 0 0 0 0 0 0 0 0"),
        ("T T F", "1 0 0 0 1 0 0 0 0"),
        ("F F T", "0 0 0 0 0 0 0 0 9"),
    ],
)
def test_a_cell_needs_room_only_where_it_is_periodic(pbc: str, lattice: str) -> None:
    assert not read(frame(f'pbc="{pbc}" Lattice="{lattice}"')).rejects


def test_integers_are_64_bits_wide() -> None:
    columns = "Properties=species:S:1:pos:R:3:id:I:1"
    big = frame(columns=columns, atoms="Cu 0 0 0 12345678901\nCu 0 0 0 -9223372036854775808\n")
    (arrays,) = read(big).column("arrays")
    assert arrays[0]["integers"] == [12345678901, -(2**63)]
    too_big = frame(columns=columns, atoms="Cu 0 0 0 9223372036854775808\n")
    assert "an integer of 64 bits expected" in read(too_big).reasons[0]
    for word in ("1.5", "1_0", "x", "T"):
        bad = frame(columns=columns, atoms=f"Cu 0 0 0 {word}\n")
        assert f"'{word}' in column 'id'" in read(bad).reasons[0]


def test_arrays_keep_their_types() -> None:
    columns = "Properties=species:S:1:pos:R:3:q:R:1:v:R:2:i:I:2:tag:S:1:site:S:2:m:L:1"
    atoms = "Cu 0 0 0 nan 1 2D0 3 4 é a b T\nNi 1 1 1 -inf 3 4 5 6 f c d F\n"
    (arrays,) = read(frame(columns=columns, atoms=atoms)).column("arrays")
    found = {entry["name"]: entry for entry in arrays}
    assert math.isnan(found["q"]["floats"][0])
    assert found["q"]["floats"][1] == -math.inf
    assert (found["v"]["n_columns"], found["v"]["floats"]) == (2, [1.0, 2.0, 3.0, 4.0])
    assert found["i"]["integers"] == [3, 4, 5, 6]
    assert found["tag"]["strings"] == ["é", "f"]
    assert found["site"]["strings"] == ["a", "b", "c", "d"]
    assert found["m"]["booleans"] == [True, False]
    assert [entry["name"] for entry in arrays] == sorted(found)


def test_text_in_columns_may_be_latin_1_or_very_long() -> None:
    columns = "Properties=species:S:1:pos:R:3:tag:S:1"
    latin = frame(columns=columns, atoms="Cu 0 0 0 café\n").encode("latin-1")
    long = frame(columns=columns, atoms=f"Cu 0 0 0 {'x' * 5000}\n" + "Cu 0 0 0 y\n" * 1000)
    found = read(latin + long.encode())
    tags = [arrays[0]["strings"] for arrays in found.column("arrays")]
    assert tags[0] == ["café"]
    assert [len(tag) for tag in tags[1]] == [5000] + [1] * 1000


def test_elements_may_be_given_by_number() -> None:
    found = read(frame(columns="Properties=Z:I:1:pos:R:3", atoms="29 0 0 0\n8 0 0 1\n"))
    assert found.column("numbers") == [[29, 8]]
    assert found.column("formula") == ["CuO"]
    assert found.column("elements") == [["Cu", "O"]]


def test_a_frame_gets_one_identity_wherever_it_stands() -> None:
    frames = [
        frame("a=1.5"),
        frame("a=nan"),
        frame("a=1.5", columns=HEAD + ":q:R:1", atoms="Cu 0 0 0 nan\nCu 1 1 1 2\n"),
        frame("a=1.5", atoms="H 0.5 0 0\n"),
        frame("a=1.5", atoms="H 0.5 0 0\nNi 0 0 x\n"),
    ]
    alone = [i for text in frames for i in read(text).column("structure_id")]
    together = read("".join(frames))
    assert together.column("structure_id") == alone
    assert together.column("frame") == [0, 1, 2, 3]
    assert len(set(alone)) == 4


@pytest.mark.parametrize("name", ["isolated_atoms", "test_MD_300K", "test_MD_600K", "train_300K"])
def test_real_files_give_the_numbers_of_ase(name: str) -> None:
    path = data_path("acac", f"{name}.xyz")
    found = read(path.read_bytes())
    expected = ase.io.read(path, ":")
    assert not found.rejects
    assert found.n_frames == len(expected)
    labels = {row["frame"]: row for row in found.labels.to_pylist()}
    for row, atoms in zip(found.structures.to_pylist(), expected, strict=True):
        positions = np.stack([row["positions"][axis] for axis in "xyz"], axis=1)
        assert np.array_equal(positions, atoms.positions)
        assert row["numbers"] == atoms.numbers.tolist()
        assert row["cell"] == atoms.cell.array.reshape(-1).tolist()
        assert row["pbc"] == atoms.pbc.tolist()
        assert row["config_type"] == atoms.info["config_type"]
        assert row["formula"] == atoms.get_chemical_formula()
        label = labels[row["frame"]]
        assert label["energy"] == atoms.get_potential_energy()
        if label["forces"] is not None:
            forces = np.stack([label["forces"][axis] for axis in "xyz"], axis=1)
            assert np.array_equal(forces, atoms.get_forces())


REAL = (
    GOOD
    + frame(f'{LATTICE} energy=-1.5 note="x y" list="1 2 3"')
    + "3\nwater\nO 0 0 0\nH 0 0 1\nH 0 1 0\n"
    + frame(columns=HEAD + ":forces:R:3", atoms="Cu 0 0 0 1 2 3\nNi 1.5 1 1 4 5 6\n")
)


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_damaged_text_never_crashes_and_always_adds_up(data: st.DataObject) -> None:
    text = bytearray((REAL * 2).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        length = data.draw(st.integers(0, 40))
        new = data.draw(
            st.one_of(st.binary(max_size=8), st.sampled_from([b"\n", b"=", b'"', b"64\n"]))
        )
        text[at : at + length] = new
    whole = read(bytes(text))
    parts = read(bytes(text), block_bytes=data.draw(st.integers(1, 300)))
    assert parts.column("structure_id") == whole.column("structure_id")
    assert parts.column("frame") == whole.column("frame")
    assert parts.rejects == whole.rejects
    frames = whole.column("frame") + [reject.frame for reject in whole.rejects]
    assert sorted(frames) == list(range(whole.n_frames))


@given(st.binary(max_size=300))
def test_any_bytes_add_up(data: bytes) -> None:
    found = read(data)
    assert found.n_frames == len(found.column("frame")) + len(found.rejects)
    assert found.n_frames > 0 or not data.removeprefix(b"\xef\xbb\xbf").strip()
