"""`atomlake query ood`: how it is asked, and the files that come of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest
from ase.io import read
from click.testing import CliRunner, Result
from ood_samples import add_predictions, ensemble_lake, trace

import lake
from lake.cli import root
from lake.commands.formats import FORMATS
from lake.lake import Lake
from queries.ood.structure_files import cif_name

N_ATOMS = {i: 2 + i for i in range(1, 41)}
FACETS = {i: ("100", "111")[i % 2] for i in N_ATOMS}
CELL = [9.0, 0, 0, 1.0, 8.0, 0, 0.5, 0.25, 7.0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, dict[str, Any]]:
    random = np.random.default_rng(0)
    positions = {
        i: dict(zip("xyz", random.uniform(0, 7, (3, n)).tolist(), strict=True))
        for i, n in N_ATOMS.items()
    }
    lk, latents = ensemble_lake(
        tmp_path_factory.mktemp("ood"),
        N_ATOMS,
        info={i: json.dumps({"facet": FACETS[i], "T": 300 + i}) for i in N_ATOMS},
        cell=dict.fromkeys(N_ATOMS, CELL) | {40: [0.0] * 9},
        positions=positions,
    )
    for k, name in enumerate(latents):
        energies = {i: k * 0.1 * n for i, n in N_ATOMS.items()}
        add_predictions(lk, name, energies, {i: np.zeros((n, 3)) for i, n in N_ATOMS.items()})
    return lk, dict(latents)


def ask(lk: Lake, folder: Path, *words: str) -> Result:
    base = ["--lake", lk.storage.uri, "query", "ood", "--set", "new=slabs: structure_id > 20"]
    asked = [*base, "--group", "T1", "-o", str(folder), *words]
    return CliRunner().invoke(root, asked, catch_exceptions=True)


def quick(lk: Lake, folder: Path, *words: str) -> Result:
    result = ask(lk, folder, "--no-figures", "--no-distances", *words)
    assert result.exit_code == 0, result.output
    return result


def ids(folder: Path, name: str = "chosen") -> list[int]:
    return pl.read_csv(folder / f"{name}.csv")["structure_id"].to_list()


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


def test_diversity_by_metadata(made: tuple[Lake, dict[str, Any]], tmp_path: Path) -> None:
    quick(made[0], tmp_path, "--at-most", "2", "--per", "facet,set")
    chosen = ids(tmp_path)
    assert [FACETS[i] for i in chosen].count("100") == 2
    assert len(chosen) == 4


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


def test_what_is_said_of_the_files_is_said_aloud(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path
) -> None:
    result = quick(made[0], tmp_path, "--set", "last=slabs: structure_id = 40")
    said = "1 of the chosen have no cell, so there is no CIF of them."
    assert f"Note: {said}" in result.stderr
    assert said in json.loads((tmp_path / "manifest.json").read_text("utf-8"))["warnings"]
    assert "20 were. The first 10 stand above." in result.stderr


def test_distances_that_are_not_measured_are_said(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.ood.distances.find_spec", lambda _: None)
    words = ("--baseline", "old=slabs: structure_id <= 20")
    result = ask(made[0], tmp_path, "--no-figures", *words)
    assert result.exit_code == 0
    assert "Note: No distances from the baseline were measured: scikit-learn" in result.stderr
    assert "scikit-learn" not in quick(made[0], tmp_path, *words).stderr


def test_what_cannot_be_read_or_written_is_refused_before_anything_is_scored(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.ood.asking.score_with_distances", None)
    result = ask(made[0], tmp_path / "ood", "--no-figures", "--against", "nothing")
    assert "No table of scores is called 'nothing'." in result.stderr
    (tmp_path / "file").write_text("mine")
    result = ask(made[0], tmp_path / "file" / "ood", "--no-figures")
    assert result.exit_code == 1
    assert "Expected a folder you may write." in result.stderr


def test_scores_are_kept_in_the_lake(made: tuple[Lake, dict[str, Any]], tmp_path: Path) -> None:
    lk, _ = made
    quick(lk, tmp_path / "a", "--save", "mine")
    quick(lk, tmp_path / "b", "--save", "mine", "--top", "1")
    rows = lk.sql(
        "SELECT s.structure_id, o.latent_variance_trace FROM structures AS s "
        "JOIN ood_scores AS o USING (dataset, structure_id) WHERE o.saved_as = 'mine'"
    ).pl()
    assert sorted(rows["structure_id"]) == list(range(21, 41))
    quick(lk, tmp_path / "c", "--against", "mine")
    assert len(pl.read_csv(tmp_path / "c" / "against.csv")) == 20
    base = ["--lake", lk.storage.uri]
    dropped = CliRunner().invoke(root, [*base, "drop", "scores", "slabs", "mine"])
    assert dropped.exit_code == 0
    assert lk.scan("ood_scores").collect().is_empty()


@pytest.mark.slow
def test_distances_and_figures_where_there_is_a_baseline(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    words = ("--baseline", "old=slabs: structure_id <= 20", "--score", "mahalanobis")
    result = ask(made[0], tmp_path, *words, "--top", "4", "--at-most", "2", "--per", "cluster")
    assert result.exit_code == 0, result.output
    scores = pl.read_csv(tmp_path / "scores.csv", infer_schema_length=None)
    assert scores.columns.count("mahalanobis") == 1
    new = scores.filter(set="new")
    assert new["mahalanobis"].is_sorted(descending=True)
    chosen = pl.read_csv(tmp_path / "chosen.csv")
    assert chosen["cluster"].value_counts()["count"].max() <= 2
    frames = read(tmp_path / "chosen.extxyz", ":")
    for name in ("mahalanobis", "latent_variance_aligned"):
        told = [frame.info.get(f"ood_{name}") for frame in frames]
        assert told == pytest.approx(chosen[name].to_list())
    statistics = pl.read_csv(tmp_path / "statistics.csv")
    assert {"mahalanobis", "knn_mean_distance"} <= set(statistics["score"])
    there = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {"ood_maps.png", "ood_histograms.pdf", "ood_boxes.png"} <= there
    assert (tmp_path / "baseline.npz").exists()


@pytest.mark.slow
def test_keys_may_be_called_as_columns_are(tmp_path: Path) -> None:
    """Whatever a frame calls its keys, they take no column's place, in any file."""
    for needed in ("sklearn", "chemiscope"):
        pytest.importorskip(needed)
    keys = ("rank", "mahalanobis", "pca_1", "place", "row", "first", "other", "is_chosen", "T", "t")
    info = {i: json.dumps(dict.fromkeys(keys, i % 3) | {"is_chosen": "no"}) for i in N_ATOMS}
    lk, _ = ensemble_lake(tmp_path, N_ATOMS, info=info)
    quick(lk, tmp_path / "first", "--save", "first")
    words = ("--baseline", "old=slabs: structure_id <= 20", "--against", "first", "--report")
    result = ask(lk, tmp_path / "ood", *words, "--format", "xlsx", "--top", "2")
    assert result.exit_code == 0, result.output
    scores = pl.read_excel(tmp_path / "ood" / "scores.xlsx", engine="openpyxl")
    assert len(scores) == 40
    named = ("info_rank", "info_mahalanobis", "info_pca_1", "info_is_chosen", "place", "t (2)")
    assert set(named) <= set(scores.columns)
    new = scores.filter(set="new")
    assert new["rank"].to_list() == list(range(1, 21))
    assert new["mahalanobis"].dtype == pl.Float64
    assert new["place"].to_list() == [i % 3 for i in map(int, new["structure_id"])]
    page = (tmp_path / "ood" / "report.html").read_text("utf-8")
    assert page.count('"chosen"') == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--above", "0.1", "--above-quantile", "0.9"], "expected one cut-off"),
        (["--above-quantile", "0.9"], "Give --baseline SET"),
        (["--baseline", "slabs", "--above-quantile", "95"], "from 0 to 1"),
        (["--score", "latent_varianse_trace"], "Did you mean latent_variance_trace"),
        (["--distances"], "Expected a baseline set"),
        (["--at", "1", "--save", "x"], "expected one of them"),
        (["--per", "facet"], "belong together"),
        (["--set", "new=slabs"], "Two sets are called 'new'"),
        (["--layer", "3"], "latents of the layer '3'"),
        (["--score", "n_atoms"], "No score is called 'n_atoms'. There are: energy"),
        (["--score", "d_latent"], "Distances are scores where there are a --baseline"),
        (["--above", "nan"], "expected a number"),
        (["--save", "a b"], "cannot be the name"),
        (["--set", "x=slabs: n_atomz > 1"], "The set 'x': 'n_atomz > 1': Binder Error"),
        (["--no-distances", "--baseline-models", "b.npz"], "expected one of them"),
    ],
)
def test_wrong_options_are_said_without_traceback(
    made: tuple[Lake, dict[str, Any]], tmp_path: Path, words: Sequence[str], said: str
) -> None:
    result = ask(made[0], tmp_path / "out", "--no-figures", *words)
    assert result.exit_code != 0
    assert said in str(result.exception) + result.output
    assert not isinstance(result.exception, KeyError) or isinstance(
        result.exception, lake.errors.AtomlakeError
    )
    assert not (tmp_path / "out").exists()
