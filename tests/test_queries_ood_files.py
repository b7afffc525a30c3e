"""The files that come of `atomlake query ood`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest
from ase.io import read
from ood_answers import FACETS, N_ATOMS, ask, ids, lake_of_slabs, quick
from ood_samples import trace

from lake.commands.formats import FORMATS
from lake.lake import Lake
from queries.ood.structure_files import cif_name

made = lake_of_slabs


def test_tables_are_ranked_and_hold_what_they_say(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path
) -> None:
    lk, latents = made
    result = quick(lk, tmp_path, "--baseline", "old=slabs: structure_id <= 20", "--top", "3")
    scores = pl.read_csv(tmp_path / "scores.csv", infer_schema_length=None)
    assert len(scores) == 40
    assert scores["rank"].to_list() == [*range(1, 21), *[None] * 20]
    new = scores.head(20)
    expected = [trace(latents, i).mean() for i in new["structure_id"]]
    np.testing.assert_allclose(new["latent_variance_trace"], expected, rtol=1e-5)
    assert new["latent_variance_trace"].is_sorted(descending=True)
    np.testing.assert_allclose(scores["energy_disagreement"], np.std([0, 0.1, 0.2, 0.3]))
    assert (scores["force_disagreement"] == 0).all()
    assert scores["T"].to_list() == [300 + i for i in scores["structure_id"]]
    assert ids(tmp_path) == new["structure_id"].to_list()[:3]
    assert set(pl.read_csv(tmp_path / "statistics.csv")["set"]) == {"new", "old"}
    assert len(pl.read_csv(tmp_path / "histogram.csv")) == 2 * 6 * 50
    assert "at most 3 structures with the greatest latent_variance_trace. 3 were." in result.stderr
    assert result.stdout.splitlines()[2].split()[:3] == ["1", "new", str(ids(tmp_path)[0])]


def test_the_manifest_names_everything(made: tuple[Lake, dict[str, Any]], tmp_path: Path) -> None:
    lk, _ = made
    quick(lk, tmp_path, "--baseline", "old=slabs: structure_id <= 20", "--above-quantile", "0.9")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["lake"]["version"] == lk.version
    assert manifest["score"] == "latent_variance_trace"
    assert [m["model"] for m in manifest["selection"]["members"]] == ["w1", "w2", "w3", "w4"]
    assert manifest["selection"]["baseline"] == "old"
    assert set(manifest["cut_offs"]) == {"q90 of old", "q95 of old", "q99 of old"}
    assert manifest["n_chosen"] == len(ids(tmp_path))
    for file in manifest["files"]:
        assert hashlib.sha256((tmp_path / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    there = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert there == {file["path"] for file in manifest["files"]} | {"manifest.json"}
    sql = (tmp_path / "statements.sql").read_text()
    assert "ARRAY_DISTANCE(z2, z3)" in sql
    assert "Which structures of new are out of distribution for T1?" in sql


def test_the_chosen_come_as_extxyz_with_scores(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path
) -> None:
    lk, latents = made
    quick(lk, tmp_path, "--top", "5")
    frames = read(tmp_path / "chosen.extxyz", ":")
    chosen = ids(tmp_path)
    assert [int(frame.info["ood_structure_id"]) for frame in frames] == chosen
    for rank, (identity, frame) in enumerate(zip(chosen, frames, strict=True), start=1):
        atoms = lk.atoms(identity, dataset="slabs")
        np.testing.assert_array_equal(frame.positions, atoms.positions)
        np.testing.assert_array_equal(frame.numbers, atoms.numbers)
        per_atom = frame.arrays["latent_variance_trace"]
        np.testing.assert_allclose(per_atom, trace(latents, identity), rtol=1e-5)
        assert frame.info["ood_latent_variance_trace"] == pytest.approx(per_atom.mean())
        assert (frame.info["ood_rank"], frame.info["facet"]) == (rank, FACETS[identity])
        assert frame.calc is None  # labels would be taken for those of the new DFT


def test_the_chosen_come_as_cif(made: tuple[Lake, dict[str, Any]], tmp_path: Path) -> None:
    lk, latents = made
    result = quick(lk, tmp_path, "--top", "4")
    chosen = ids(tmp_path)
    assert 40 in chosen  # it has no cell
    files = sorted((tmp_path / "cif").iterdir())
    assert len(files) == 3
    assert "1 of the chosen have no cell" in (tmp_path / "manifest.json").read_text()
    for file in files:
        rank = int(file.name[:4])
        identity = chosen[rank - 1]
        assert file.name == f"{rank:04d}_cu_frame{identity}.cif"
        found, stored = read(file), lk.atoms(identity, dataset="slabs")
        np.testing.assert_array_equal(found.numbers, stored.numbers)
        np.testing.assert_allclose(found.cell.cellpar(), stored.cell.cellpar(), atol=1e-9)
        # ASE wraps what it reads into the cell.
        np.testing.assert_allclose(
            found.get_all_distances(mic=True), stored.get_all_distances(mic=True), atol=1e-8
        )
        lines = file.read_text().splitlines()
        scores = [float(line.split()[-1]) for line in lines[-len(stored) :]]
        np.testing.assert_allclose(scores, trace(latents, identity), rtol=1e-5)
    assert result.exit_code == 0


@pytest.mark.parametrize("name", FORMATS)
def test_tables_come_in_every_format(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path, name: str
) -> None:
    quick(made[0], tmp_path, "--top", "2", "--format", name)
    file = tmp_path / f"chosen.{name}"
    match name:
        case "xlsx":
            sheet = openpyxl.load_workbook(file).active
            head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
            found = [dict(zip(head, row, strict=True)) for row in rows]
        case "json":
            found = json.loads(file.read_text())
        case _:
            found = getattr(pl, f"read_{name}")(file).to_dicts()
    assert [row["rank"] for row in found] == [1, 2]
    assert {row["facet"] for row in found} <= {"100", "111", 100, 111}


def test_elements_and_atoms_on_request(made: tuple[Lake, dict[str, Any]], tmp_path: Path) -> None:
    lk, latents = made
    quick(lk, tmp_path, "--by-element", "--by-atom", "--memory", "16")
    atoms = pl.read_parquet(tmp_path / "atoms.parquet")
    assert len(atoms) == sum(n for i, n in N_ATOMS.items() if i > 20)
    of_30 = atoms.filter(structure_id=30).sort("atom")
    np.testing.assert_allclose(of_30["latent_variance_trace"], trace(latents, 30), rtol=1e-5)
    scores = pl.read_csv(tmp_path / "scores.csv")
    assert {"latent_variance_trace_O", "latent_variance_trace_Cu"} <= set(scores.columns)


def test_another_answer_in_the_folder_leaves_nothing_of_the_first(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path
) -> None:
    quick(made[0], tmp_path, "--top", "9")
    quick(made[0], tmp_path, "--top", "2")
    assert len(list((tmp_path / "cif").iterdir())) <= 2


def test_a_long_name_of_a_source_is_cut() -> None:
    row = {"rank": 7, "source": f"in/{'ü' * 100}{'x' * 151}.cif", "frame": 12}
    assert cif_name(row) == f"0007_{'_' * 100}{'x' * 100}_frame12"


def test_structures_of_the_user_in_the_folder_stay(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path
) -> None:
    mine = tmp_path / "cif" / "mine.cif"
    mine.parent.mkdir()
    mine.write_text("data_mine", "utf-8")
    quick(made[0], tmp_path, "--top", "2")
    quick(made[0], tmp_path, "--top", "1")
    assert mine.read_text("utf-8") == "data_mine"


def test_an_answer_that_breaks_off_leaves_the_one_before(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(made[0], tmp_path, "--top", "9")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def break_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("queries.ood.files.write_manifest", break_off)
        result = ask(made[0], tmp_path, "--no-figures", "--no-distances", "--top", "2")
    assert result.exit_code != 0
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before
    assert not list(tmp_path.glob(".*"))
