"""CIF files that are damaged, odd or no CIF at all."""

from __future__ import annotations

import io

import numpy as np
import pytest
from cif_samples import OCCUPIED, cif, group, read_all, read_one, reason_of, triplets
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cif.importer import CifImporter


def test_a_broken_block_leaves_the_others() -> None:
    broken = cif("Cu1 0 0 0", "Cu2 0.5", name="broken")
    good = cif("Cu1 0 0 0", name="good")
    text = good + broken + good + cif("Cu1 ? 0 0", name="nowhere")
    (batch,), (no_cif, nowhere) = read_all(text)
    assert batch.frame.tolist() == [0, 2]
    assert (no_cif.frame, nowhere.frame) == (1, 3)
    assert "is no CIF: Wrong number of values in loop" in no_cif.reason
    assert text.splitlines()[no_cif.line - 1] == "loop_"
    assert nowhere.reason.startswith("data block nowhere: site 1 (Cu1) lacks a fractional coord")
    assert text.splitlines()[nowhere.line - 1] == "data_nowhere"
    assert no_cif.excerpt.startswith("data_broken")


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_marks_and_encodings_do_not_matter(line_end: str) -> None:
    text = cif("Cu1 0 0 0", symmetry="_journal_name_full 'Böttger'\n_a\n;\nx\n;")
    expected = read_one(text)
    assert expected.info[0]["_journal_name_full"] == "Böttger"
    text = text.replace("\n", line_end)
    for data in (text.encode("latin-1"), text.encode("utf-8-sig")):
        batch = read_one(data)
        assert batch.info == expected.info
        assert batch.positions.tolist() == expected.positions.tolist()


CELL = cif("Cu1 0 0 0").split("loop_")[0]
FAULTS = {
    "no cell": (cif("Cu1 0 0 0").replace("_cell_length_b 4", ""), "_cell_length_b is missing"),
    "unknown cell": (cif("Cu1 0 0 0").replace("h_b 4", "h_b ?"), "_cell_length_b is missing"),
    "flat": (cif("Cu1 0 0 0", cell=(4, 4, 4, 30, 30, 90)), "span no volume"),
    "negative": (cif("Cu1 0 0 0", cell=(4, -4, 4, 90, 90, 90)), "_cell_length_b is -4"),
    "infinite": (cif("Cu1 0 0 0", cell=(4, 1e999, 4, 90, 90, 90)), "_cell_length_b is inf"),
    "no coordinate": (cif("Cu1 0 . 0"), "site 1 (Cu1) lacks a fractional coordinate"),
    "no z": (cif("Cu1 0 0", columns="label fract_x fract_y"), "fract_z"),
    "Cartesian": (
        cif("Cu1 0 0 0", columns="label Cartn_x Cartn_y Cartn_z"),
        "has Cartesian coordinates alone",
    ),
    "anisotropic alone": (
        f"{CELL}loop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\nCu1 0.1\n",
        "has atom sites without coordinates",
    ),
    "no rows": (cif(), "no rows"),
    "lengths": (
        cif("Cu1 0 0", columns="label fract_x fract_y") + "loop_\n_atom_site_fract_z\n0\n0\n",
        "needs one value a site",
    ),
    "mmCIF": (
        "data_1ABC\nloop_\n_atom_site.group_PDB\n_atom_site.Cartn_x\nATOM 1.0\n",
        "is mmCIF",
    ),
    "no element": (cif("Q1 Xq 0 0 0 1", columns=OCCUPIED), "type symbol Xq"),
    "tritium": (cif("T1 T 0 0 0 1", columns=OCCUPIED), "type symbol T"),
    "word": (cif("O1 Wat 0 0 0 1", columns=OCCUPIED), "type symbol Wat"),
    "ambiguous": (cif("CU1 0 0 0"), "label CU1, which names no element for certain"),
    "no names": (cif("0 0 0", columns="fract_x fract_y fract_z"), "no elements"),
    "occupancy 0": (cif("Cu1 Cu 0 0 0 0.0", columns=OCCUPIED), "has the occupancy 0;"),
    "occupancy x": (cif("Cu1 Cu 0 0 0 x", columns=OCCUPIED), "has the occupancy nan;"),
    "overfull": (
        cif("Cu1 Cu 0 0 0 .7", "Ni1 Ni 0 0 1 .7", columns=OCCUPIED),
        "site 1 (Cu1) and site 2 (Ni1): occupancies at one place add up to 1.4",
    ),
    "all sites and symmetry": (
        cif("Cu1 0 0 .1", "Cu2 0 0 -.1", symmetry=triplets("x,y,z", "-x,-y,-z")),
        "add up to 2",
    ),
    "nearly together": (
        cif(
            "Cu1 Cu 0 0 0 .5",
            "Ni1 Ni 0 0 .006 .5",
            columns=OCCUPIED,
            symmetry=triplets("x,y,z", "-x,-y,-z"),
        ),
        "symmetry repeats 1 and 2 times",
    ),
    "placeholders": (cif(*["H 0 0 0"] * 300), "most of its sites at one place"),
    "triplet": (cif("Cu1 0 0 0", symmetry=triplets("x,y,z", "x+1/5,y,z")), "x+1/5,y,z"),
    "no group": (cif("Cu1 0 0 0", symmetry=triplets("x,y,z", "y,z,x")), "are no group"),
    "no identity": (cif("Cu1 0 0 0", symmetry=triplets("-x,-y,-z")), "are no group"),
    "unknown group": (
        cif("Cu1 0 0 0", symmetry="_space_group_name_H-M_alt 'P 99'"),
        "its space group P 99 is not known",
    ),
    "group 999": (cif("Cu1 0 0 0", symmetry=group(999)), "999 is not known"),
    "two origins": (cif("C1 0 0 0", symmetry=group(227)), "write F d -3 m:1 or F d -3 m:2"),
    "another cell": (
        cif("Cu1 0 0 0", cell=(4, 5, 6, 90, 90, 90), symmetry=group(225)),
        "its cell is none of the space group F m -3 m",
    ),
    "magnetic": (
        cif(
            "Fe1 0 0 0",
            symmetry="loop_\n_space_group_symop_magn_operation.xyz\nx,y,z,+1\n-x,-y,-z,-1",
        ),
        "magnetic or superspace symmetry",
    ),
    "duplicate tag": (f"{CELL}_cell_length_a 5\n", "duplicate tag _cell_length_a"),
    "truncated": (cif("Cu1 0 0 0", "Cu2 0 0.5 0.5")[:-5], "Wrong number of values in loop"),
    "open text": (f"{CELL}_a\n;text\n", "unterminated text field"),
    "nonsense": ("nonsense\n", "is no CIF: expected block header"),
    "binary": (b"data_a\n_x \x00\xff\n", "is no CIF"),
    "no structure": ("# nothing\n", "has no data block with atom sites"),
    "text alone": ("data_a\n_chemical_name_common x\n", "has no data block with atom sites"),
}


@pytest.mark.parametrize(("data", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_reject_that_says_what_is_wrong(data: str | bytes, reason: str) -> None:
    assert reason in reason_of(data)


def test_an_empty_file_holds_no_frames() -> None:
    assert list(CifImporter().blocks(io.BytesIO(b""), "a.cif")) == []


VALID = cif("Fe1 Fe3+ 0.1 0.2 0.3 0.9", "O1 O 0 0 0 1", columns=OCCUPIED, symmetry=group(2)) * 2
JUNK = ["?", "'", ";", "\n;", "data_", "loop_", "_x", "1e400", "nan", "-", "\x00", "é", " ", "#"]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(VALID)), st.integers(0, 30), st.sampled_from(["", "\n", *JUNK])
        ),
        max_size=4,
    )
)
def test_damaged_text_is_rejected_and_never_raises(edits: list[tuple[int, int, str]]) -> None:
    text = VALID
    for start, length, junk in edits:
        text = text[:start] + junk + text[start + length :]
    batches, rejects = read_all(text or " ")
    frames = sorted([f for b in batches for f in b.frame.tolist()] + [r.frame for r in rejects])
    assert frames == list(range(len(frames)))
    assert frames
    for batch in batches:
        assert np.isfinite(batch.positions).all()
