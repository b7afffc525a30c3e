"""`compute regions`: what is stored, exactly once, whatever happens meanwhile."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write
from click.testing import CliRunner
from compute_samples import make_lake
from region_samples import structure_of

from benchmarks.direct_legacy import direct_legacy
from benchmarks.known_defects import with_defect
from compute.regions import running
from compute.regions.progress import progress_shown, progress_text
from compute.regions.radii import Radii
from compute.regions.reference_input import read_lattice, read_reference
from compute.regions.report import RegionReport
from compute.regions.request import RegionRequest
from compute.regions.running import compute_regions
from compute.regions.scheme import LegacyScheme, Scheme, SitesScheme, make_scheme
from compute.regions.sites import find_sites
from compute.regions.structure import THREE, TWO
from lake.cli import root
from lake.errors import ConflictError, InvalidInputError, NotFoundError
from lake.lake import Lake

LEGACY, SITES = LegacyScheme(), SitesScheme()


def frames() -> list[Atoms]:
    """A vacancy, an interstitial, two vacancies, none, a molecule and one atom."""
    defects = ("vacancy", "split", "two-vacancies", "none")
    made = [with_defect("bcc", 3, defect, 0.05, i).atoms for i, defect in enumerate(defects)]
    return [*made, molecule("CH3CH2OH"), Atoms("Cu")]


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return make_lake(tmp_path, frames())


def compute(lk: Lake, scheme: Scheme = LEGACY, **options):
    return compute_regions(lk, RegionRequest(["metals"], scheme, **options))


def rows(lk: Lake, scheme: str) -> list[dict]:
    """The rows of a scheme in the order of the frames."""
    query = """
        SELECT r.*, s.frame FROM regions AS r JOIN structures AS s USING (dataset, structure_id)
        WHERE scheme = $scheme ORDER BY frame
    """
    return lk.sql(query, {"scheme": scheme}).pl().to_dicts()


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


def test_a_condition_that_fits_nothing_says_so(lk):
    assert "No structure is chosen" in compute(lk, where="n_atoms > 1000").text()


def test_processes_give_the_same_rows(lk, tmp_path, monkeypatch):
    compute(lk, SITES)
    alone = [rows(lk, name) for name in SITES_NAMES]
    lk.drop(dataset="metals", scheme="sites")
    monkeypatch.setattr(running, "LEAST_PER_WORKER", 1)
    compute(lk, SITES, workers=2)
    assert [rows(lk, name) for name in SITES_NAMES] == alone


SITES_NAMES = ("sites-2", "sites-3")


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
    assert "4 were labelled by another job meanwhile." in report.text()
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


def run_cli(lk: Lake, *words: str):
    return CliRunner().invoke(root, ["--lake", lk.storage.uri, *words])


def test_the_command_says_what_it_did(lk):
    done = run_cli(lk, "compute", "regions", "--dataset", "metals", "--scheme", "sites")
    assert done.exit_code == 0, done.output
    assert "6 structures labelled by sites-2 and sites-3 in" in done.output
    assert "defects: vacancy 2, interstitial 1, none 1, no regions 2" in done.output
    assert "  2 × no lattice: it is not periodic along all three directions" in done.output
    words = ("compute", "regions", "--dataset", "metals", "--scheme", "legacy", "--workers", "1")
    found = json.loads(run_cli(lk, "--json", *words).output)
    assert (found["n_added"], found["schemes"]) == (6, ["legacy-2", "legacy-3"])
    assert found["kinds"] == {"vacancy": 4, "interstitial": 1, "no regions": 1}
    dropped = run_cli(lk, "drop", "regions", "metals", "legacy")
    assert dropped.exit_code == 0
    assert rows(lk, "legacy-2") == []
    assert len(rows(lk, "sites-2")) == 6
    commit = lk.sql("SELECT arguments FROM commits WHERE operation = 'compute regions'").fetchall()
    assert json.loads(commit[0][0])["model_cutoff"] == 5.0


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--dataset", "metal", "--scheme", "legacy"), "Did you mean metals"),
        (("--dataset", "metals", "--scheme", "site"), "Did you mean sites"),
        (("--dataset", "metals", "--scheme", "sites", "--lattice", "xyz"), "--lattice xyz"),
        (
            ("--dataset", "metals", "--scheme", "sites", "--lattice", "bcc", "--reference", "x"),
            "are both given",
        ),
        (("--dataset", "metals", "--scheme", "legacy", "--model-cutoff", "0"), "--model-cutoff 0"),
    ],
)
def test_wrong_input_is_told_without_a_traceback(lk, words, what):
    done = run_cli(lk, "compute", "regions", *words)
    assert done.exit_code == 2
    assert what in done.output
    assert "Traceback" not in done.output


def test_a_scheme_that_is_not_there_cannot_be_dropped(lk):
    compute(lk)
    with pytest.raises(NotFoundError, match="Did you mean legacy-"):
        lk.drop(dataset="metals", scheme="legacy-4")


def many(n: int) -> list[Atoms]:
    return [with_defect("bcc", 3, "vacancy", 0.05, seed).atoms for seed in range(n)]


def start(place: str, *words: str) -> subprocess.Popen[str]:
    code = (
        "from compute.regions import running, tasks; running.LEAST_PER_WORKER = 1; "
        "tasks.TASK_ATOMS = 200; from lake.cli import main; main()"
    )
    words = ("compute", "regions", "--dataset", "metals", "--scheme", "sites", *words)
    return subprocess.Popen(
        [sys.executable, "-c", code, "--lake", place, *words, "--commit-every", "0.05"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_a_commit(lk: Lake, process: subprocess.Popen[str]) -> None:
    version = lk.version
    while lk.version == version and process.poll() is None:
        time.sleep(0.02)


def check_complete(lk: Lake, n: int) -> None:
    query = """
        SELECT scheme, count(*), count(DISTINCT structure_id)
        FROM regions GROUP BY scheme ORDER BY scheme
    """
    assert lk.sql(query).fetchall() == [("sites-2", n, n), ("sites-3", n, n)]
    assert lk.check() == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_job_that_is_told_to_end_commits_and_can_be_run_again(tmp_path, workers):
    lk = make_lake(tmp_path, many(300))
    process = start(lk.storage.uri, "--workers", workers)
    wait_for_a_commit(lk, process)
    process.send_signal(signal.SIGTERM)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    assert "left. The same command goes on from here." in printed
    there = len(rows(lk, "sites-2"))
    assert 0 < there < 300
    assert f"{there:,} structures labelled" in printed
    assert compute(lk, SITES).n_added == 300 - there
    check_complete(lk, 300)


def test_a_job_that_is_killed_can_be_run_again(tmp_path):
    lk = make_lake(tmp_path, many(200))
    for _ in range(2):
        process = start(lk.storage.uri, "--workers", "1")
        wait_for_a_commit(lk, process)
        process.kill()
        process.communicate()
    assert 0 < len(rows(lk, "sites-2")) < 200
    compute(lk, SITES)
    check_complete(lk, 200)


def test_jobs_may_overlap(tmp_path):
    lk = make_lake(tmp_path, many(60))
    jobs = [start(lk.storage.uri, "--workers", "1") for _ in range(2)]
    for job in jobs:
        _, errors = job.communicate(timeout=120)
        assert job.returncode == 0, errors
    check_complete(lk, 60)


def test_workers_end_with_a_job_that_is_killed(tmp_path):
    lk = make_lake(tmp_path, many(200))
    process = start(lk.storage.uri, "--workers", "2")
    wait_for_a_commit(lk, process)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and in_session(process.pid):
        time.sleep(0.2)
    assert in_session(process.pid) == []
    compute(lk, SITES)
    check_complete(lk, 200)


def in_session(leader: int) -> list[int]:
    """Processes of a session that are still there."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(folder.name))
    return found


def test_progress_says_how_far_it_is(capsys, monkeypatch):
    assert progress_text(500, 2_000, 2.0) == "500 of 2,000 structures, 250 structures/s, 6 s left"
    assert progress_text(0, 10, 0.0) == "0 of 10 structures, 0 structures/s"
    with progress_shown(is_wanted=True) as shown:
        shown(1, 2, 1.0)
    assert capsys.readouterr().err == "", "no line in the first half minute"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress_shown(is_wanted=True) as shown:
        shown(1, 2, 1.0)
    assert "1 of 2 structures" in capsys.readouterr().err
    with progress_shown(is_wanted=False) as shown:
        shown(1, 2, 1.0)
    assert capsys.readouterr().err == ""


def test_a_report_shows_the_most_frequent_reasons():
    report = RegionReport(
        ("sites-2", "sites-3"),
        n_chosen=11,
        n_missing=11,
        n_added=11,
        kinds={"no regions": 10, "none": 1},
        reasons={"a": 4, "b": 3, "c": 2, "d": 1},
        n_dropped=0,
        n_atoms=100,
        seconds=2.0,
        version=3,
        is_stopped=False,
    )
    assert report.text().splitlines() == [
        "11 structures labelled by sites-2 and sites-3 in 2.0 s (6 structures/s); version 3",
        "defects: none 1, no regions 10",
        "  4 × a",
        "  3 × b",
        "  2 × c",
        "  1 for other reasons; see the column 'reason' of 'regions'",
    ]
