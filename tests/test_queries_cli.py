"""`atomlake query`: the files that come of a question, and how it is asked."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from comparison_lakes import random_members, random_samples, write_samples
from polars.testing import assert_frame_equal

import lake
from lake.cli import root
from lake.commands.formats import FORMATS
from lake.errors import StorageError
from queries.answers import folder as answer_folder
from queries.losses import files
from queries.losses.comparison import compare
from queries.losses.result import LossComparison

TABLES = {
    "selected_structures",
    "coverage",
    "schemes",
    "detailed_results",
    "summary_statistics",
    "3region_detailed_results",
    "3region_summary",
    "ensemble_summary",
    "errors_by_model",
    "errors_by_loss",
    "ratios_by_loss",
    "mean_prediction_results",
    "reproducibility",
    "error_histogram",
    "error_quantiles",
    "training_summary",
    "statistical_tests",
    "paired_tests",
    "seed_tests",
    "models",
    "training_curves",
}


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    lk = lake.create(str(tmp_path_factory.mktemp("cli") / "lake"))
    samples = random_samples(5)
    write_samples(lk, samples, random_members(samples, ("MSE", "RMCE"), (0, 1)))
    lk.tag("then")
    return lk.storage.uri


@pytest.fixture(scope="module")
def comparison(uri: str) -> LossComparison:
    return compare(lake.open(uri), dataset="cu")


def run(uri: str, *words: str) -> Result:
    return CliRunner().invoke(root, ["--lake", uri, "query", *words], env={"ATOMLAKE": None})


def losses(uri: str, folder: Path, *words: str) -> Result:
    words = ("losses", "--dataset", "cu", "-o", str(folder), "--no-figures", *words)
    return run(uri, *words)


def never(*_: object, **__: object) -> None:
    pytest.fail("computed for nothing")


def test_tables_sql_and_manifest(uri: str, tmp_path: Path) -> None:
    result = losses(uri, tmp_path / "out")
    assert result.exit_code == 0, result.output
    there = {file.name for file in (tmp_path / "out").iterdir()}
    assert there == {f"{name}.csv" for name in TABLES} | {"manifest.json", "statements.sql"}
    with (tmp_path / "out" / "detailed_results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["model", "structure_idx", "formula", "config_type"]
    assert len(rows) == 5 * 4


def test_what_is_printed(uri: str, comparison: LossComparison, tmp_path: Path) -> None:
    result = losses(uri, tmp_path)
    rows = [line.split() for line in result.stdout.splitlines()[2:]]
    assert [row[:2] for row in rows] == [
        [loss, region] for loss in ("MSE", "RMCE") for region in ("all", "bulk", "defect")
    ]
    errors = comparison.tables["errors_by_loss"].filter(loss="MSE", region="defect")
    assert rows[2][2:5] == [str(errors[n].item()) for n in ("n_structures", "n_seeds", "n_atoms")]
    assert float(rows[2][5]) == round(errors["mae_mean_over_structures"].item() * 1000, 2)
    assert "Note: Less than 3 seeds of MSE, RMCE" in result.stderr
    assert "23 files in" in result.stderr
    as_json = json.loads(losses(uri, tmp_path, "--json", "--format", "json").stdout)
    assert as_json == json.loads((tmp_path / "errors_by_loss.json").read_text())


def test_the_manifest_says_what_it_was_made_from(uri: str, tmp_path: Path) -> None:
    losses(uri, tmp_path, "--where", "config_type = 'vac'", "--limit", "2", "--group", "MSE")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["lake"] == {"path": uri, "version": lake.open(uri).version}
    selection = manifest["selection"]
    assert (selection["where"], selection["limit"]) == ("config_type = 'vac'", 2)
    assert (selection["losses"], selection["label_set"]) == (["MSE"], "dft")
    assert [model["sha256"] for model in manifest["models"]] == [f"{i:064x}" for i in (0, 1)]
    assert manifest["tables"]["detailed_results"] == 2 * 2
    for file in manifest["files"]:
        content = (tmp_path / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]


def test_the_sql_runs_as_it_stands(uri: str, comparison: LossComparison) -> None:
    """A stranger with the statements gets the tables: parameters put in, in the order given."""
    connection = lake.open(uri).connect()
    for name, text in comparison.statements.items():
        values = {
            line.split(" = ")[0].removeprefix("-- $"): line.split(" = ", 1)[1]
            for line in text.splitlines()
            if line.startswith("-- $")
        }
        body = "\n".join(line for line in text.splitlines() if not line.startswith("-- "))
        for parameter, value in values.items():
            body = body.replace(f"${parameter}", value)
        assert "$" not in body
        connection.execute(f'CREATE TEMP TABLE "{name}" AS {body}')
    without = {"statistical_tests", "paired_tests", "seed_tests", "models", "training_curves"}
    for name in TABLES - without:
        found = connection.sql(f'FROM "{name}"').pl()
        assert_frame_equal(found, comparison.tables[name], rel_tol=1e-12)


@pytest.mark.parametrize("name", FORMATS)
def test_formats_hold_the_same_table(comparison: LossComparison, tmp_path: Path, name: str) -> None:
    files.write_comparison(comparison, tmp_path, name, figures=False)
    file = tmp_path / f"paired_tests.{name}"
    read = {
        "csv": pl.read_csv,
        "parquet": pl.read_parquet,
        "json": pl.read_json,
        "xlsx": lambda path: pl.read_excel(path, engine="openpyxl"),
    }[name]
    found = read(file)
    expected = comparison.tables["paired_tests"]
    assert found.columns == expected.columns
    assert found["comparison"].to_list() == expected["comparison"].to_list()
    assert found["p_permutation"].to_list() == pytest.approx(expected["p_permutation"].to_list())


def test_a_run_that_breaks_leaves_no_manifest(comparison: LossComparison, tmp_path: Path) -> None:
    files.write_comparison(comparison, tmp_path, figures=False)
    (tmp_path / "statements.sql").unlink()
    (tmp_path / "statements.sql").mkdir()
    with pytest.raises(StorageError, match="Expected a folder you may write"):
        files.write_comparison(comparison, tmp_path, figures=False)
    assert not (tmp_path / "manifest.json").exists()


def test_a_folder_that_is_a_file(uri: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    assert losses(uri, tmp_path / "taken").exit_code == 2
    result = losses(uri, tmp_path / "taken" / "below")
    assert result.exit_code == 1
    assert "Expected a folder you may write" in result.output


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_computed(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.losses.comparison.compare", never)
    (tmp_path / "file").write_text("mine")
    result = losses(uri, tmp_path / "file" / "losses")
    assert result.exit_code == 1
    assert "Expected a folder you may write." in result.stderr


def test_another_answer_takes_the_place_of_an_earlier_one(
    comparison: LossComparison, tmp_path: Path
) -> None:
    files.write_comparison(comparison, tmp_path, "csv", figures=False)
    (tmp_path / "notes.csv").write_text("mine")
    (tmp_path / "seed_tests.csv").write_text("changed by hand")
    written = files.write_comparison(comparison, tmp_path, "json", figures=False)
    kept = {tmp_path / "notes.csv", tmp_path / "seed_tests.csv"}
    assert set(tmp_path.iterdir()) == {*written, *kept}


@pytest.mark.parametrize("name", ["../mine", "/{folder}/../mine"])
def test_a_manifest_cannot_reach_out_of_its_folder(tmp_path: Path, name: str) -> None:
    mine, folder = tmp_path / "mine", tmp_path / "answer"
    mine.write_text("mine")
    folder.mkdir()
    checksum = hashlib.sha256(b"mine").hexdigest()
    fact = {"path": name.format(folder=folder), "sha256": checksum}
    (folder / "manifest.json").write_text(json.dumps({"files": [fact]}))
    with answer_folder.open_folder(folder):
        pass
    assert mine.exists()


def test_a_past_version(uri: str, tmp_path: Path) -> None:
    assert losses(uri, tmp_path, "--at", "then").exit_code == 0
    result = losses(uri, tmp_path, "--at", "0")
    assert (result.exit_code, "No dataset is called 'cu'" in result.output) == (2, True)


def test_refusals_are_sentences_and_exit_with_2(uri: str, tmp_path: Path) -> None:
    result = losses(uri, tmp_path, "--scheme", "sites")
    assert result.exit_code == 2
    assert "atomlake compute regions --dataset cu --scheme sites" in result.output
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("missing", "options"), [("matplotlib", []), ("jinja2", ["--no-figures", "--report"])]
)
def test_what_is_not_installed_is_said_before_anything_is_computed(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, options: list[str]
) -> None:
    monkeypatch.setattr("queries.losses.comparison.compare", never)
    monkeypatch.setitem(sys.modules, missing, None)
    result = run(uri, "losses", "--dataset", "cu", "-o", str(tmp_path / "out"), *options)
    assert result.exit_code == 2
    assert result.stderr.lower().startswith(f"error: {missing} is not installed")
    assert "atomlake[plots]" in result.stderr
    assert not (tmp_path / "out").exists()


def test_questions_are_listed_and_near_names_found(uri: str) -> None:
    assert "losses" in run(uri, "list").output
    result = run(uri, "loses")
    assert result.exit_code == 2
    assert "No question is called 'loses'. Did you mean losses?" in result.output


def test_help_loads_nothing_heavy() -> None:
    heavy = ("polars", "duckdb", "pyarrow", "numpy", "scipy", "matplotlib")
    code = (
        "import sys; from lake.cli import root\n"
        "try: root(['query', 'losses', '--help'])\n"
        f"finally: print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Example:" in done.stdout
