from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import click
import nbclient
import nbformat
import numpy as np
import pytest
import trained_models
from ase.io import read
from click.testing import CliRunner

import lake
from examples.defects import CONFIG_TYPES, LATTICE_CONSTANT_ANGSTROM, recipes, relaxed
from examples.demo import main
from examples.terminal import QUESTIONS, question, shown
from examples.training import Training

N_STRUCTURES = 20
MODELS = ("mace-l1l2energyforces-1", "mace-weighted-1")
FIRST_HELD_OUT_GENERATION = 6
CHECKOUT = Path(__file__).parent.parent
EXAMPLES = CHECKOUT / "examples"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> tuple[Path, list[str]]:
    """The demo run twice in one folder, and what it printed; once for all processes that test."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    folder, printed = shared / "demo", shared / "demo.json"
    python = trained_models.environment_python("mace")
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            texts = [run_demo(folder, python) for _ in range(2)]
            printed.write_text(json.dumps(texts))
    return folder, json.loads(printed.read_text())


def run_demo(folder: Path, python: Path) -> str:
    """Run the demo with little of everything; what it printed."""
    options = {
        "folder": folder,
        "structures": N_STRUCTURES,
        "models": len(MODELS),
        "epochs": 1,
        "mace-python": python,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", *words],
        cwd=CHECKOUT,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder.parent / "settings")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def lk(runs) -> lake.Lake:
    return lake.open(str(runs[0] / "lake"))


@pytest.mark.slow
def test_every_structure_is_in_the_lake_once(lk):
    labelled = lk.sql("SELECT COUNT(*) FROM structures INNER JOIN labels USING (structure_id)")
    ((count,),) = labelled.fetchall()
    assert count == N_STRUCTURES
    ((ingests,),) = lk.sql(
        "SELECT COUNT(*) FROM commits WHERE operation = 'ingest extxyz'"
    ).fetchall()
    assert ingests == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["forces", "force_errors"])
def test_the_figures_are_there(runs, name):
    for ending in ("png", "pdf"):
        assert (runs[0] / f"{name}.{ending}").stat().st_size > 10_000


@pytest.mark.slow
def test_it_says_where_things_are_both_times(runs):
    folder, printed = runs
    for text in printed:
        assert "$ atomlake init" in text
        assert f"lake        {folder / 'lake'}" in text
        assert "--label-prefix REF_" in text


@pytest.mark.slow
def test_models_are_trained_once(runs):
    for model in MODELS:
        again = f"{model}: trained before from the same data, left alone"
        assert [again in text for text in runs[1]] == [False, True]


@pytest.mark.slow
def test_nothing_is_left_among_the_settings_of_the_user(runs):
    folder, _ = runs
    assert not (folder.parent / "settings" / "atomlake").exists()
    environments = json.loads((folder / "environments.json").read_text())
    assert list(environments["environments"]) == ["mace"]


@pytest.mark.slow
def test_no_structure_is_trained_on_and_held_out(runs, lk):
    trained = read(runs[0] / "train.extxyz", ":")
    assert trained
    assert all(atoms.info["generation"] < FIRST_HELD_OUT_GENERATION for atoms in trained)
    assert all("REF_forces" in atoms.arrays and "REF_energy" in atoms.info for atoms in trained)
    counted = lk.sql(question("force_errors_by_structure")[1]).pl()["structure_id"].unique()
    held_out = lk.atoms(counted.to_list())
    assert len(held_out) == N_STRUCTURES * (10 - FIRST_HELD_OUT_GENERATION) // 10
    assert all(atoms.info["generation"] >= FIRST_HELD_OUT_GENERATION for atoms in held_out)
    energies = {round(atoms.info["REF_energy"], 6) for atoms in trained}
    assert energies.isdisjoint(round(a.calc.results["energy"], 6) for a in held_out)


@pytest.mark.slow
def test_every_model_predicts_every_structure_with_latents(lk):
    counts = lk.sql(
        "SELECT model, COUNT(*) FROM predictions INNER JOIN embeddings "
        "USING (dataset, structure_id, model) WHERE status = 'ok' GROUP BY model ORDER BY model"
    )
    assert counts.fetchall() == [(model, N_STRUCTURES) for model in MODELS]


@pytest.mark.slow
def test_force_errors_are_those_numpy_finds(lk):
    squares, norms, structures = defaultdict(list), defaultdict(list), defaultdict(set)
    for model, seed, structure_id, forces in lk.sql(
        "SELECT m.group, m.seed, p.structure_id, p.forces FROM predictions AS p "
        "INNER JOIN models AS m USING (model)"
    ).fetchall():
        atoms = lk.atoms(structure_id)
        if atoms.info["generation"] >= FIRST_HELD_OUT_GENERATION:
            predicted = np.column_stack([forces[axis] for axis in "xyz"])
            error = predicted - atoms.calc.results["forces"]
            key = (model, seed, atoms.info["config_type"])
            squares[key].append(error**2)
            norms[key].append(np.linalg.norm(error, axis=1))
            structures[key].add(structure_id)
    rows = lk.sql(question("force_errors_by_type")[1]).fetchall()
    assert {row[:3] for row in rows} == set(norms)
    assert len(rows) == len(norms)
    for *key, n_structures, n_atoms, mae, rmse in rows:
        pooled = np.concatenate(norms[tuple(key)])
        assert n_structures == len(structures[tuple(key)])
        assert n_atoms == len(pooled)
        assert mae == pytest.approx(pooled.mean(), abs=6e-5)  # the question rounds to 1e-4
        components = np.concatenate(squares[tuple(key)])
        assert rmse == pytest.approx(np.sqrt(components.mean()), abs=6e-5)


@pytest.mark.slow
def test_it_ends_with_a_report_of_the_losses(runs):
    folder, printed = runs
    page = folder / "losses" / "report.html"
    assert f"report      {page}" in printed[1]
    text = page.read_text()
    for loss in ("weighted", "l1l2energyforces"):
        assert loss in text
    assert sorted((folder / "losses" / "figures").glob("*.pdf"))


@pytest.mark.slow
@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_on_the_lake_of_the_demo(runs, notebook, monkeypatch):
    content = nbformat.read(notebook, 4)
    assert not any(cell.get("outputs") for cell in content.cells), "Clear all outputs."
    monkeypatch.setenv("ATOMLAKE", str(runs[0] / "lake"))
    nbclient.NotebookClient(
        content, timeout=200, kernel_name="python3", resources={"metadata": {"path": EXAMPLES}}
    ).execute()
    last = [output for cell in content.cells if cell.cell_type == "code" for output in cell.outputs]
    assert last[-1]["text"].startswith("Equal, at lake version")


def test_without_an_environment_for_models_it_says_what_to_do(tmp_path):
    options = ["--folder", str(tmp_path), "--mace-python", str(tmp_path / "python")]
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 1
    assert "make demo" in result.output
    assert not any(tmp_path.iterdir())


def test_too_few_structures_to_train_on_are_refused_at_once(tmp_path):
    options = ["--folder", str(tmp_path), "--mace-python", sys.executable, "--structures", "19"]
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 1
    assert "at least 20" in result.output
    assert not any(tmp_path.iterdir())


def test_a_training_that_fails_shows_the_end_of_its_log(tmp_path):
    data = tmp_path / "train.extxyz"
    data.write_text("no structures")
    program = tmp_path / "mace_run_train"
    program.write_text("#!/bin/sh\necho it went wrong\nexit 3\n")
    program.chmod(0o755)
    training = Training("weighted", 1, 1, tmp_path / "python", data, tmp_path / "training")
    with pytest.raises(click.ClickException, match=r"(?s)exit code 3.*it went wrong"):
        training.run()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in QUESTIONS.glob("*.sql")))
def test_header_names_the_columns_of_the_answer(lk, name):
    answer = lk.sql(question(name)[1])
    header = (QUESTIONS / f"{name}.sql").read_text().partition("-- columns:\n")[2]
    declared = [line.split()[1:3] for line in header.splitlines() if line.startswith("--   ")]
    actual = [
        [column, str(kind)] for column, kind in zip(answer.columns, answer.types, strict=True)
    ]
    assert declared == actual


@pytest.mark.slow
def test_files_hold_unequal_sizes_and_a_site_per_defect(runs):
    frames = [a for path in (runs[0] / "structures").iterdir() for a in read(path, ":")]
    assert len({len(atoms) for atoms in frames}) > 1
    for atoms in frames:
        has_site = "defect_position" in atoms.info
        assert has_site == (atoms.info["config_type"] != "bulk")
        assert np.isclose(atoms.arrays["REF_forces"].sum(axis=0), 0, atol=1e-6).all()


@pytest.mark.parametrize("config_type", sorted(set(CONFIG_TYPES) - {"bulk"}))
def test_the_site_is_where_the_defect_is(config_type):
    atoms, site = relaxed("Cu", config_type, (2, 2, 2))
    assert len(atoms) == 32 + (-1 if config_type == "vac" else 1)
    atoms = atoms.copy()
    atoms.append("Cu")
    atoms.positions[-1] = site
    distances = np.sort(atoms.get_distances(-1, range(len(atoms) - 1), mic=True))
    if config_type == "sia_octahedral":
        assert distances[0] < 1e-6  # the interstitial itself
        distances = distances[1:]
    n_nearest = {"vac": 12, "sia_octahedral": 6, "sia_dumbbell": 2}[config_type]
    assert np.ptp(distances[:n_nearest]) < 0.01 * LATTICE_CONSTANT_ANGSTROM["Cu"]
    assert distances[n_nearest] > distances[n_nearest - 1] + 0.1


def test_recipes_mix_kinds_in_every_generation():
    for generation in range(10):
        kinds = {(r.element, r.config_type) for r in recipes(400) if r.generation == generation}
        assert len(kinds) == len(set(CONFIG_TYPES)) * len(LATTICE_CONSTANT_ANGSTROM)


@pytest.mark.parametrize(
    ("word", "text"),
    [("init", "init"), ("a*", '"a*"'), ("x ->> 'k'", "\"x ->> 'k'\""), ("$x", "'$x'")],
)
def test_words_are_quoted_for_a_shell(word, text):
    assert shown(word) == text
