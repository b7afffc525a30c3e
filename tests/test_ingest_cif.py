"""Reading CIF: structures as ASE reads them, and what is wrong with the others."""

from __future__ import annotations

import io
from pathlib import Path

import ase
import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from cif_samples import (
    OCCUPIED,
    SYMMETRIC,
    assert_same,
    cif,
    read_all,
    read_one,
    through_ase,
)
from extxyz_samples import data_path

import lake
from ingest.cif.importer import CifImporter
from ingest.importers import find_importer

MINERALS = Path(ase.__file__).parent / "test" / "testdata" / "minerals"


@pytest.mark.parametrize("name", sorted(path.name for path in MINERALS.glob("*.cif")))
def test_files_of_the_open_database_are_read_as_by_ase(name: str) -> None:
    data = (MINERALS / name).read_bytes()
    batch = read_one(data)
    assert_same(batch, through_ase(data))
    assert batch.info[0]["_cod_database_code"] == int(name[4:11])
    assert isinstance(batch.info[0]["_chemical_formula_sum"], str)


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


def test_one_site_needs_no_loop() -> None:
    loop = cif("Po1 0 0 0")
    text = loop[: loop.index("loop_")]
    text += "_atom_site_label Po1\n" + "".join(f"_atom_site_fract_{x} 0.5\n" for x in "xyz")
    assert read_one(text).positions.tolist() == [[2.0, 2.0, 2.0]]


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
    assert len(smallest) == 3
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
