from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.io import read

import lake
from examples.defects import CONFIG_TYPES, LATTICE_CONSTANT_ANGSTROM, recipes, relaxed
from examples.demo import QUESTIONS, question, shown

N_STRUCTURES = 12
CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The demo run twice in one folder, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    words = ["-m", "examples.demo", "--folder", str(folder), "--structures", str(N_STRUCTURES)]
    printed = [
        subprocess.run(
            [sys.executable, *words], cwd=CHECKOUT, check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    return folder, printed


def test_every_structure_is_in_the_lake_once(runs):
    lk = lake.open(str(runs[0] / "lake"))
    labelled = lk.sql("SELECT COUNT(*) FROM structures INNER JOIN labels USING (structure_id)")
    ((count,),) = labelled.fetchall()
    assert count == N_STRUCTURES
    assert lk.version == 1


def test_the_figure_is_there(runs):
    for ending in ("png", "pdf"):
        assert (runs[0] / f"forces.{ending}").stat().st_size > 10_000


def test_it_says_where_things_are_both_times(runs):
    folder, printed = runs
    for text in printed:
        assert "$ atomlake init" in text
        assert f"lake        {folder / 'lake'}" in text


@pytest.mark.parametrize("name", sorted(path.stem for path in QUESTIONS.glob("*.sql")))
def test_header_names_the_columns_of_the_answer(runs, name):
    answer = lake.open(str(runs[0] / "lake")).sql(question(name)[1])
    header = (QUESTIONS / f"{name}.sql").read_text().partition("-- columns:\n")[2]
    declared = [line.split()[1:3] for line in header.splitlines() if line.startswith("--   ")]
    actual = [
        [column, str(kind)] for column, kind in zip(answer.columns, answer.types, strict=True)
    ]
    assert declared == actual


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
