"""`compute regions`: what is stored, exactly once, whatever happens meanwhile."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase.io import write
from region_lakes import LEGACY, SITES, compute, frames, lake_of_defects, rows
from region_samples import structure_of

from benchmarks.direct_legacy import direct_legacy
from compute.regions.radii import Radii
from compute.regions.reference_input import read_lattice
from compute.regions.scheme import LegacyScheme, SitesScheme
from compute.regions.sites import find_sites
from compute.regions.structure import THREE, TWO, Regions, Structure
from lake.errors import ConflictError, InvalidInputError
from lake.lake import Lake

lk = lake_of_defects


def test_legacy_is_stored_as_it_was_found(lk):
    report = compute(lk)
    assert (report.n_missing, report.n_added, report.n_left) == (6, 6, 0)
    assert report.kinds == {"vacancy": 4, "interstitial": 1, "no regions": 1}
    two, three = rows(lk, "legacy-2"), rows(lk, "legacy-3")
    for atoms, row, other in zip(frames()[:5], two[:5], three[:5], strict=True):
        direct = direct_legacy(atoms)
        assert row["region"] == direct["two"]
        assert other["region"] == direct["three"]
        np.testing.assert_allclose(row["distance"], direct["distance"], atol=1e-10)
        np.testing.assert_allclose(row["centre"], direct["centre"], atol=1e-10)
        assert row["distance"] == other["distance"]
        assert row["n_defects"] == 1
        assert row["kinds"] is None
        details = json.loads(row["details"])
        assert details["first_shell_radius"] == pytest.approx(direct["first_shell"])
        assert json.loads(row["parameters"]) == dict(LEGACY.parameters)
        assert row["scheme_version"] == LEGACY.version
    nothing = two[5]
    assert nothing["reason"] == "no two atoms are at different places: there is no first shell"
    empty = ("region", "distance", "centre", "centres", "defect_kind", "n_defects", "details")
    assert all(nothing[name] is None for name in empty)
    assert lk.check() == []


def test_sites_are_stored_as_they_were_found(lk):
    compute(lk, SITES)
    two, three = rows(lk, "sites-2"), rows(lk, "sites-3")
    kinds = ["vacancy", "interstitial", "vacancy", "none", None, None]
    assert [row["defect_kind"] for row in two] == kinds
    assert [row["n_defects"] for row in two] == [1, 1, 2, 0, None, None]
    for atoms, row, other in zip(frames()[:4], two[:4], three[:4], strict=True):
        found = find_sites(structure_of(atoms), Radii(), SITES.reference)
        assert row["region"] == [TWO[code] for code in found.two]
        assert other["region"] == [THREE[code] for code in found.three]
        centres = np.array([row["centres"][axis] for axis in "xyz"]).T
        np.testing.assert_allclose(centres, found.centres)
        assert row["kinds"] == list(found.kinds)
    assert two[2]["centre"] == [two[2]["centres"][axis][0] for axis in "xyz"]
    none = two[3]
    assert set(none["region"]) == {"bulk"}
    assert (none["distance"], none["centre"], none["kinds"]) == (None, None, [])
    assert none["centres"] == {"x": [], "y": [], "z": []}
    assert "not periodic" in two[4]["reason"]
    assert two[4]["region"] is None
    assert lk.check() == []


def test_only_what_is_missing_is_computed(lk):
    compute(lk, where="n_atoms > 10")
    version = lk.version
    report = compute(lk)
    assert (report.n_chosen, report.n_missing) == (6, 2)
    assert lk.version == version + 1
    assert compute(lk).text() == "Nothing is missing."
    assert lk.version == version + 1
    lk.drop(dataset="metals", scheme="legacy-2")  # one of the two alone
    assert compute(lk).n_added == 6
    assert (len(rows(lk, "legacy-2")), len(rows(lk, "legacy-3"))) == (6, 6)
    assert lk.check() == []


def test_other_parameters_are_refused_and_replaced_when_asked_for(lk):
    compute(lk)
    other = LegacyScheme(Radii(model_cutoff=4.0))
    with pytest.raises(
        InvalidInputError, match=r"model_cutoff 5.0, now 4.0.*--replace.*atomlake drop"
    ):
        compute(lk, other)
    compute(lk, SITES)
    report = compute(lk, other, where="n_atoms > 10", replaces=True)
    assert (report.n_dropped, report.n_added) == (12, 4)
    assert {json.loads(row["parameters"])["model_cutoff"] for row in rows(lk, "legacy-3")} == {4.0}
    assert len(rows(lk, "sites-2")) == 6
    again = compute(lk, other, replaces=True)  # goes on, and takes out nothing of its own
    assert (again.n_dropped, again.n_added) == (0, 2)


def test_nothing_is_taken_out_for_a_condition_that_is_wrong(lk):
    compute(lk)
    with pytest.raises(InvalidInputError, match="--where"):
        compute(lk, LegacyScheme(Radii(core_atoms=4)), where="nonsense", replaces=True)
    assert len(rows(lk, "legacy-2")) == 6


def test_another_version_is_refused(lk):
    compute(lk)
    newer = LegacyScheme(version="2")
    with pytest.raises(InvalidInputError, match=r"version 1 .*, now 2"):
        compute(lk, newer)


class SmallScheme(LegacyScheme):
    """Has no memory for more than 20 atoms."""

    def find(self, structure: Structure) -> Regions:
        if len(structure) > 20:
            raise MemoryError
        return super().find(structure)


def test_what_finds_no_memory_is_left_for_another_time(lk):
    report = compute(lk, SmallScheme())
    assert (report.n_added, report.n_too_large, report.n_left) == (2, 4, 4)
    assert "for want of memory for their neighbours: 4" in report.text()
    assert len(rows(lk, "legacy-2")) == 2
    later = compute(lk)
    assert (later.n_missing, later.n_added, later.n_left) == (4, 4, 0)
    assert lk.check() == []


def test_reasons_that_differ_in_numbers_are_counted_together(lk):
    report = compute(lk, SitesScheme(reference=read_lattice("bcc:4.1")))
    assert report.reasons == {
        "not on the lattice: N% of the atoms are near sites of the reference bcc:4.1": 4,
        "no lattice: it is not periodic along all three directions": 2,
    }
    stored = {row["reason"] for row in rows(lk, "sites-2")}
    assert len(stored) > 2  # each with its own number


def overtake(lk: Lake, monkeypatch: pytest.MonkeyPatch, meanwhile) -> None:
    """Let something happen between the plan of the first commit and the commit."""
    commit, is_over = lk.commit, []

    def overtaken(operation, plan, **named):
        def slow_plan(state):
            changes = plan(state)
            if not is_over:
                is_over.append(True)
                meanwhile(Lake(lk.storage))
            return changes

        return commit(operation, slow_plan, **named)

    monkeypatch.setattr(lk, "commit", overtaken)


def test_what_another_job_committed_meanwhile_is_not_added_again(lk, monkeypatch):
    overtake(lk, monkeypatch, lambda other: compute(other, where="n_atoms > 10"))
    report = compute(lk)
    assert report.n_added == 2
    assert "Another job labelled 4 of them meanwhile." in report.text()
    assert len(rows(lk, "legacy-2")) == 6
    assert lk.check() == []


def test_other_parameters_stored_meanwhile_are_a_conflict(lk, monkeypatch):
    other = LegacyScheme(Radii(core_atoms=4))
    overtake(lk, monkeypatch, lambda other_lake: compute(other_lake, other))
    with pytest.raises(ConflictError, match="core_atoms 4, now 8"):
        compute(lk)
    assert {json.loads(row["parameters"])["core_atoms"] for row in rows(lk, "legacy-2")} == {4}


def test_structures_dropped_meanwhile_get_no_regions(lk, monkeypatch):
    overtake(lk, monkeypatch, lambda other: other.drop(dataset="metals"))
    with pytest.raises(ConflictError, match="were dropped"):
        compute(lk)
    assert lk.scan("regions").collect().is_empty()


def test_structures_that_did_not_come_back_get_no_regions(lk, monkeypatch, tmp_path):
    write(tmp_path / "two.xyz", frames()[:2], format="extxyz", write_results=False)

    def replace(other):
        other.drop(dataset="metals")
        other.ingest("extxyz", [str(tmp_path / "two.xyz")], dataset="metals")

    overtake(lk, monkeypatch, replace)
    assert compute(lk).n_added == 2
    assert lk.check() == []
