"""What `compute regions` is given: radii, lattices and references, and which are refused."""

from __future__ import annotations

import pytest
from ase.build import bulk, molecule
from ase.io import write
from compute_samples import make_lake
from region_lakes import compute, lake_of_defects, rows

from compute.regions.radii import Radii
from compute.regions.reference_input import read_lattice, read_reference
from compute.regions.scheme import SitesScheme, make_scheme
from lake.errors import InvalidInputError, NotFoundError

lk = lake_of_defects


def test_a_lattice_without_elements_is_meant_for_those_there_are(tmp_path):
    atoms = bulk("Fe", cubic=True) * 3
    atoms.symbols[7] = "Cr"
    lk = make_lake(tmp_path, [atoms])
    compute(lk, SitesScheme(reference=read_lattice("bcc:2.87")))
    assert [row["kinds"] for row in rows(lk, "sites-2")] == [["antisite"]]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"workers": 0}, "--workers 0"),
        ({"commit_every_s": 0.0}, "--commit-every"),
        ({"where": "nonsense"}, "--where 'nonsense'"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(lk, options, what):
    with pytest.raises(InvalidInputError, match=what):
        compute(lk, **options)


def test_radii_that_cannot_be_meant_are_refused():
    for radii in (Radii(model_cutoff=-1), Radii(core_atoms=0), Radii(bulk=float("nan"))):
        with pytest.raises(InvalidInputError, match="expected a number above 0"):
            make_scheme("legacy", radii)
    with pytest.raises(InvalidInputError, match="would be in both"):
        make_scheme("sites", Radii(defect=3, bulk=2))
    with pytest.raises(NotFoundError, match="Did you mean legacy"):
        make_scheme("legcy", Radii())
    with pytest.raises(InvalidInputError, match="looks at no lattice"):
        make_scheme("legacy", Radii(), read_lattice("bcc"))


@pytest.mark.parametrize("text", ["bbc", "bcc:x", "bcc:0", "bcc:1:2", "hcp:1:2:3", "bcc:inf", ""])
def test_lattices_that_cannot_be_meant_are_refused(text):
    with pytest.raises(InvalidInputError, match="--lattice"):
        read_lattice(text)


def test_a_reference_comes_from_a_file_or_from_the_lake(lk, tmp_path):
    write(tmp_path / "iron.extxyz", bulk("Fe", cubic=True))
    whole = lk.sql("SELECT structure_id FROM structures WHERE frame = 3").fetchall()[0][0]
    for named in (str(tmp_path / "iron.extxyz"), f"metals:{whole}"):
        scheme = SitesScheme(reference=read_reference(lk.reader, named))
        compute(lk, scheme, replaces=True)
        kinds = [row["defect_kind"] for row in rows(lk, "sites-2")]
        assert kinds == ["vacancy", "interstitial", "vacancy", "none", None, None]
    compute(lk, SitesScheme(reference=read_lattice("bcc:2.9")), replaces=True)
    assert [row["defect_kind"] for row in rows(lk, "sites-2")] == kinds
    compute(lk, SitesScheme(reference=read_lattice("bcc")), replaces=True)
    assert [row["defect_kind"] for row in rows(lk, "sites-2")] == kinds


def test_references_that_cannot_be_used_are_refused(lk, tmp_path):
    write(tmp_path / "two.extxyz", [bulk("Fe"), bulk("Cu")])
    write(tmp_path / "molecule.extxyz", molecule("H2O"))
    (tmp_path / "text.txt").write_text("no structure")
    (tmp_path / "text.extxyz").write_text("no structure")
    for name, what in (
        ("two.extxyz", "holds 2 structures"),
        ("molecule.extxyz", "Expected a crystal"),
        ("text.txt", "ASE cannot read it"),
        ("text.extxyz", "ASE cannot read it"),
    ):
        with pytest.raises(InvalidInputError, match=what):
            read_reference(lk.reader, str(tmp_path / name))
    for named, what in (
        (str(tmp_path / "none.extxyz"), "no such file"),
        ("metal:1", "Did you mean metals"),
        ("metals:1", "structure_id 1"),
    ):
        with pytest.raises(NotFoundError, match=what):
            read_reference(lk.reader, named)


def test_a_scheme_that_is_not_there_cannot_be_dropped(lk):
    compute(lk)
    with pytest.raises(NotFoundError, match="Did you mean legacy-"):
        lk.drop(dataset="metals", scheme="legacy-4")
