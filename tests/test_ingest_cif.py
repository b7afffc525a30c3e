"""Reading CIF: structures as ASE reads them, and what is wrong with the others."""

from __future__ import annotations

import io
import pickle
import warnings
from pathlib import Path

import ase
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read, write
from ase.spacegroup import crystal
from extxyz_samples import data_path
from hypothesis import given, settings
from hypothesis import strategies as st

import lake
from ingest.cif.importer import CifImporter
from ingest.frames.frames import FrameBatch, Reject
from ingest.importers import find_importer

MINERALS = Path(ase.__file__).parent / "test" / "testdata" / "minerals"
PERIODIC_TOLERANCE = 1e-9  # Å


def read_all(data: bytes | str) -> tuple[list[FrameBatch], list[Reject]]:
    data = data.encode() if isinstance(data, str) else data
    importer = CifImporter()
    (block,) = importer.blocks(io.BytesIO(data), "folder/a.cif")
    return importer.read(pickle.loads(pickle.dumps(block.without_data())).with_data(data))


def read_one(data: bytes | str) -> FrameBatch:
    (batch,), rejects = read_all(data)
    assert (len(batch), rejects) == (1, [])
    return batch


def reason_of(data: bytes | str) -> str:
    batches, (reject,) = read_all(data)
    assert batches == []
    return reject.reason


def through_ase(data: str | bytes) -> Atoms:
    data = data.encode() if isinstance(data, str) else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read(io.BytesIO(data), format="cif")


def assert_same(batch: FrameBatch, atoms: Atoms) -> None:
    """The same cell and the same atoms but for order and lattice translations."""
    np.testing.assert_allclose(batch.cell[0], atoms.cell.array, rtol=0, atol=PERIODIC_TOLERANCE)
    assert len(batch.numbers) == len(atoms)
    cell = batch.cell[0]
    apart = (batch.positions[:, None] - atoms.positions[None]) @ np.linalg.inv(cell)
    distance = np.linalg.norm((apart - np.rint(apart)) @ cell, axis=2)
    distance[batch.numbers[:, None] != atoms.numbers[None]] = np.inf
    nearest = distance.argmin(axis=1)
    assert sorted(nearest) == list(range(len(atoms)))
    assert distance.min(axis=1).max() < PERIODIC_TOLERANCE


def cif(
    *rows: str,
    cell: tuple[float, ...] = (4, 4, 4, 90, 90, 90),
    symmetry: str = "",
    columns: str = "label fract_x fract_y fract_z",
    name: str = "a",
) -> str:
    tags = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [f"data_{name}", *(f"_cell_{t} {v}" for t, v in zip(tags, cell, strict=True)), symmetry]
    lines += ["loop_", *(f"_atom_site_{column}" for column in columns.split()), *rows, ""]
    return "\n".join(lines)


def triplets(*operations: str) -> str:
    quoted = "\n".join(f"'{operation}'" for operation in operations)
    return f"loop_\n_symmetry_equiv_pos_as_xyz\n{quoted}"


def group(number: int) -> str:
    return f"_symmetry_Int_Tables_number {number}"


OCCUPIED = "label type_symbol fract_x fract_y fract_z occupancy"
HEXAGONAL = (3.25, 3.25, 5.2, 90, 90, 120)
SYMMETRIC = {
    "rock salt": (
        cif("Na1 0 0 0", "Cl1 0.5 0.5 0.5", cell=(5.64,) * 3 + (90,) * 3, symmetry=group(225)),
        {"Na": 4, "Cl": 4},
    ),
    "rutile": (
        cif(
            "Ti1 0 0 0",
            "O1 0.3053(2) 0.3053(2) 0.0",
            cell=(4.5937, 4.5937, 2.9587, 90, 90, 90),
            symmetry="_space_group_name_H-M_alt 'P 42/m n m'\n" + group(136),
        ),
        {"Ti": 2, "O": 4},
    ),
    "wurtzite": (
        cif(
            "Zn1 0.333333333333 0.666666666667 0",
            "O1 0.333333333333 0.666666666667 0.3819",
            cell=HEXAGONAL,
            symmetry=group(186),
        ),
        {"Zn": 2, "O": 2},
    ),
    "triclinic pair": (
        cif(
            "Cu1 0.1 -0.2 1.3",
            cell=(4.1, 5.2, 6.3, 80, 95, 110),
            symmetry=group(2) + "\n" + triplets("x,y,z", "-x, -y, -z"),
        ),
        {"Cu": 2},
    ),
    "rhombohedral, vacancies": (
        cif(
            "Fe1 Fe3+ 0 0 0.3553 1",
            "O1 O2- 0.3059 0 0.25 0.9",
            cell=(5.038, 5.038, 13.772, 90, 90, 120),
            symmetry="_symmetry_space_group_name_H-M 'R -3 c'\n" + group(167),
            columns=OCCUPIED,
        ),
        {"Fe": 12, "O": 18},
    ),
    "alloy": (
        cif(
            "M1 Cu 0 0 0 0.25",
            "M2 Ni 0 0 0 0.75",
            symmetry=group(225),
            columns=OCCUPIED,
        ),
        {"Ni": 4},
    ),
}


@pytest.mark.parametrize(("text", "counts"), SYMMETRIC.values(), ids=SYMMETRIC)
def test_symmetry_is_expanded_as_ase_does(text: str, counts: dict[str, int]) -> None:
    batch = read_one(text)
    atoms = through_ase(text)
    assert_same(batch, atoms)
    assert atoms.symbols.formula.count() == counts
    assert batch.pbc.all()


@pytest.mark.parametrize("number", [1, 2, 14, 62, 148, 166, 167, 194, 216, 225])
def test_cells_that_ase_makes_and_writes_are_read_back(number: int) -> None:
    cells = {1: (4, 5, 6, 75, 85, 95), 2: (4, 5, 6, 75, 85, 95), 14: (4, 5, 6, 90, 98, 90)}
    cell = cells.get(number, (6, 6, 6, 90, 90, 90) if number > 194 else (5, 5, 9, 90, 90, 120))
    cell = (5, 6, 7, 90, 90, 90) if number == 62 else cell
    atoms = crystal(["Cu", "O"], [(0, 0, 0), (0.21, 0.13, 0.37)], spacegroup=number, cellpar=cell)
    stream = io.BytesIO()
    write(stream, atoms, format="cif")
    assert_same(read_one(stream.getvalue()), through_ase(stream.getvalue()))
    operations = triplets(*_triplets_of(atoms))
    text = cif("Cu1 0 0 0", "O1 0.21 0.13 0.37", cell=cell, symmetry=operations)
    batch = read_one(text)
    assert_same(batch, atoms)
    assert batch.info[0]["spacegroup_number"] == number


def _triplets_of(atoms: Atoms) -> list[str]:
    found = []
    for rotation, translation in atoms.info["spacegroup"].get_symop():
        parts = []
        for row, shift in zip(rotation, translation, strict=True):
            terms = "".join(
                f"{'-' if r < 0 else '+'}{x}" for r, x in zip(row, "xyz", strict=True) if r
            )
            parts.append(f"{terms}+{round(shift * 24)}/24")
        found.append(",".join(parts))
    return found


@pytest.mark.parametrize("name", sorted(path.name for path in MINERALS.glob("*.cif")))
def test_files_of_the_open_database_are_read_as_by_ase(name: str) -> None:
    data = (MINERALS / name).read_bytes()
    batch = read_one(data)
    assert_same(batch, through_ase(data))
    assert batch.info[0]["_cod_database_code"] == int(name[4:11])
    assert isinstance(batch.info[0]["_chemical_formula_sum"], str)


def test_special_positions_of_rounded_coordinates_are_there_once() -> None:
    text = cif("Zn1 0.333 0.667 0", cell=(12.0, 12.0, 5.2, 90, 90, 120), symmetry=group(186))
    assert len(read_one(text).numbers) == 2


def test_coordinates_stay_as_they_are_without_symmetry_and_are_wrapped_with_it() -> None:
    assert not np.signbit(read_one(cif("Cu1 0 0 0")).cell).any()
    assert read_one(cif("Cu1 -0.25 1.5 0.5")).positions.tolist() == [[-1.0, 6.0, 2.0]]
    with_symmetry = read_one(cif("Cu1 -0.25 1.5 0.1", symmetry=group(2)))
    assert ((with_symmetry.positions >= 0) & (with_symmetry.positions < 4)).all()


def test_partial_occupancy_is_kept_with_the_atom() -> None:
    batch = read_one(SYMMETRIC["rhombohedral, vacancies"][0])
    assert batch.arrays["occupancy"].tolist() == [1.0] * 12 + [0.9] * 18
    assert batch.arrays["label"].tolist() == ["Fe1"] * 12 + ["O1"] * 18
    assert batch.arrays["type_symbol"].tolist() == ["Fe3+"] * 12 + ["O2-"] * 18
    assert batch.info[0]["occupancy"] == {"0": {"Fe": 1.0}, "1": {"O": 0.9}}


def test_species_that_share_a_site_become_the_major_one() -> None:
    text = SYMMETRIC["alloy"][0]
    batch, atoms = read_one(text), through_ase(text)
    assert batch.info[0]["occupancy"]["0"] == atoms.info["occupancy"]["0"]
    assert batch.arrays["spacegroup_kinds"].tolist() == atoms.arrays["spacegroup_kinds"].tolist()
    assert batch.arrays["label"].tolist() == ["M2"] * 4
    assert batch.arrays["occupancy"].tolist() == [0.75] * 4


def test_the_last_of_equal_species_and_charges_of_one_element_count_as_in_one() -> None:
    rows = ("M1 Cu 0 0 0 0.5", "M2 Ni 0 0 0 0.5", "N1 Fe2+ .5 .5 .5 0.4", "N2 Fe3+ .5 .5 .5 0.6")
    batch = read_one(cif(*rows, columns=OCCUPIED))
    assert batch.numbers.tolist() == [28, 26]
    assert batch.info[0]["occupancy"] == {"0": {"Cu": 0.5, "Ni": 0.5}, "2": {"Fe": 1.0}}
    assert batch.arrays["type_symbol"].tolist() == ["Ni", "Fe3+"]


def test_full_occupancy_adds_nothing() -> None:
    batch = read_one(cif("Cu1 Cu 0 0 0 1.000", "O1 O 0.5 0 0 ?", columns=OCCUPIED))
    assert list(batch.arrays) == ["label"]
    assert "occupancy" not in batch.info[0]


def test_deuterium_is_heavy_hydrogen_as_in_ase() -> None:
    text = cif("D1 D 0 0 0 1", "O1 O .25 0 0 1", "H1 H .5 0 0 1", columns=OCCUPIED)
    batch = read_one(text)
    assert batch.numbers.tolist() == [1, 8, 1]
    assert batch.arrays["type_symbol"].tolist() == ["D", "O", "H"]
    assert batch.arrays["masses"].tolist() == through_ase(text).get_masses().tolist()


def test_tags_become_info_of_their_type() -> None:
    tags = (
        """
_Chemical_formula_sum 'Cu1 O1'
_cell_formula_units_Z 4
_diffrn_ambient_temperature 293(2)
_exptl_density 6.31
_journal_year '1998'
_publ_section_title
;
 Two
 lines
;
_journal_name_full ?
_shelx_hkl_file
;
"""
        + "0 0 1 0.5\n" * 1000
        + ";"
    )
    (info,) = read_one(cif("Cu1 0 0 0", symmetry=tags, name="oxide_1")).info
    assert info == {
        "data_block": "oxide_1",
        "spacegroup": "P 1",
        "spacegroup_number": 1,
        "_chemical_formula_sum": "Cu1 O1",
        "_cell_formula_units_z": 4,
        "_diffrn_ambient_temperature": "293(2)",
        "_exptl_density": 6.31,
        "_journal_year": "1998",
        "_publ_section_title": "\n Two\n lines",
    }


def test_every_data_block_with_atom_sites_is_a_frame() -> None:
    text = (
        "# two structures\n"
        "global_\n_journal_name_full 'Acta; data_'\n"
        "data_text\n_publ_section_abstract\n;\ndata_not_a_block\n;\n"
        + cif("Cu1 0 0 0", name="one")
        + "data_only_text\n_chemical_name_common x\n"
        + cif("Cu1 0 0 0 ", "Cu1 0.5 0 0", name="one")
    )
    (batch,), rejects = read_all(text)
    assert rejects == []
    assert batch.n_atoms.tolist() == [1, 2]
    assert batch.frame.tolist() == [0, 1]
    assert [info["data_block"] for info in batch.info] == ["one", "one"]
    lines = text.splitlines()
    assert [lines[line - 1] for line in batch.line] == ["data_one", "data_one"]
    assert batch.arrays["label"].tolist() == ["Cu1"] * 3


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


def test_symmetry_is_found_from_whatever_states_it() -> None:
    cell = (5.43,) * 3 + (90,) * 3
    stated = {
        "_space_group_name_Hall '-F 4vw 2vw 3'": 227,
        "_symmetry_space_group_name_H-M 'F d -3 m :2'": 227,
        "_symmetry_space_group_name_H-M 'F d -3 m Z'": 227,
        "_symmetry_space_group_name_H-M Fm-3m": 225,
        "_space_group.IT_number 216": 216,
        "": 1,
    }
    for symmetry, number in stated.items():
        batch = read_one(cif("Si1 0.125 0.125 0.125", cell=cell, symmetry=symmetry))
        assert batch.info[0]["spacegroup_number"] == number
        if number == 227:
            assert batch.n_atoms.tolist() == [8]


def test_one_site_needs_no_loop() -> None:
    loop = cif("Po1 0 0 0")
    text = loop[: loop.index("loop_")]
    text += "_atom_site_label Po1\n" + "".join(f"_atom_site_fract_{x} 0.5\n" for x in "xyz")
    assert read_one(text).positions.tolist() == [[2.0, 2.0, 2.0]]


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


def test_both_readers_have_a_name() -> None:
    assert isinstance(find_importer("cif"), CifImporter)
    assert find_importer("cif").format == "cif"
    assert find_importer("ase-cif").format == "ase-cif"


def test_real_files_go_in_with_what_their_names_say(tmp_path: Path) -> None:
    folder = data_path("llzo", "cifs")
    lk = lake.create(str(tmp_path / "lake"))
    report = lk.ingest("cif", [f"{folder}/*.cif"], dataset="llzo", name_pattern=r"_T(?P<T>[0-9]+)_")
    assert (report.is_clean, report.total("rows")) == (True, 30)
    rows = lk.sql(
        "SELECT info->>'T', count(*), min(n_atoms) > 500, min(len(elements)) "
        "FROM structures GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert [row[0] for row in rows] == ["300", "450"]
    assert sum(row[1] for row in rows) == 30
    assert all(row[2:] == (True, 4) for row in rows)


def test_real_files_are_read_as_by_ase() -> None:
    smallest = sorted(data_path("llzo", "cifs").glob("*.cif"), key=lambda p: p.stat().st_size)[:3]
    for path in smallest:
        assert_same(read_one(path.read_bytes()), through_ase(path.read_bytes()))


def test_a_structure_written_by_ase_keeps_its_atoms_in_order() -> None:
    atoms = bulk("Cu", cubic=True) * (2, 2, 1)
    atoms.rattle(0.1, seed=1)
    stream = io.BytesIO()
    write(stream, atoms, format="cif")
    batch = read_one(stream.getvalue())
    np.testing.assert_allclose(batch.positions, through_ase(stream.getvalue()).positions)
    assert batch.arrays["label"].tolist() == [f"Cu{i + 1}" for i in range(16)]
