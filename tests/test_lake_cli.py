"""The command line of the lake: options, exit codes, and how answers are printed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lake_samples import append, label, structure

import lake
from lake.cli import COMMANDS, root
from lake.errors import StorageError

HEAVY = ("pyarrow", "duckdb", "polars", "deltalake", "zarr", "ase", "numpy", "torch")


@pytest.fixture
def uri(tmp_path: Path) -> str:
    lake.create(str(tmp_path / "lake"))
    return str(tmp_path / "lake")


def run(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(root, words, input=stdin, env={"ATOMLAKE": None})


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from lake.cli import root\n"
        "try: root(['--help'])\n"
        f"finally: print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Example:" in result.output or "Commands:" in result.output


@pytest.mark.parametrize(
    "words",
    [
        ("--lake", "{}", "--json", "info"),
        ("info", "--json", "--lake", "{}"),
        ("info", "--lake={}", "--json"),
    ],
)
def test_root_options_stand_before_or_after_the_verb(uri: str, words: tuple[str, ...]) -> None:
    result = run(*(word.format(uri) for word in words))
    assert result.exit_code == 0, result.output
    assert isinstance(json.loads(result.output), dict)


def test_words_after_a_double_dash_are_not_options(uri: str) -> None:
    result = run("--lake", uri, "sql", "--", "--json")
    # To SQL it is a comment.
    assert (result.exit_code, "holds no statement" in result.output) == (2, True)


def test_the_lake_may_come_from_the_environment(uri: str) -> None:
    result = CliRunner().invoke(root, ["info"], env={"ATOMLAKE": uri})
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("info",), "No lake is named"),
        (("info", "--lake", "nowhere"), "holds no lake"),
        (("inf",), "Did you mean info"),
        (("schema", "label"), "Did you mean labels, labelled?"),
        (("info", "--storage-option", "region"), "expected KEY=VALUE"),
        (("tag", "--lake", "nowhere"), "Missing argument NAME"),
    ],
)
def test_wrong_input_is_a_message_and_exit_code_2(words: tuple[str, ...], message: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_failure_is_a_message_and_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise StorageError("No space left on the device.")

    monkeypatch.setattr(lake, "create", fail, raising=False)
    result = run("init", "anywhere")
    assert result.exit_code == 1
    assert result.output == "Error: No space left on the device.\n"


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lake, "create", interrupt, raising=False)
    result = run("init", "anywhere")
    assert result.exit_code == 130
    assert "Interrupted." in result.output


def test_a_reader_that_goes_away_is_no_error(uri: str) -> None:
    atomlake = Path(sys.executable).with_name("atomlake")
    script = f"'{atomlake}' --lake '{uri}' sql 'FROM range(200000)' | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_init_makes_a_lake_that_info_describes(tmp_path: Path) -> None:
    path = str(tmp_path / "new")
    assert run("init", path).output == f"Lake at {path}, version 0.\n"
    assert run("info", "--lake", path).exit_code == 0


def test_schema_lists_units() -> None:
    records = json.loads(run("schema", "labels", "--json").output)
    assert {r["column"]: r["unit"] for r in records}["forces"] == "eV/Å"


def test_schema_knows_the_views() -> None:
    records = json.loads(run("schema", "force_errors", "--json").output)
    assert records[-1] == {
        "column": "error_norm",
        "type": "DOUBLE",
        "unit": "eV/Å",
        "meaning": "norm of the error vector",
    }
    listed = json.loads(run("schema", "--json").output)
    assert {"structures", "force_errors"} <= {record["table"] for record in listed}
    assert "Did you mean force_errors?" in run("schema", "force_error").output


class TestCheck:
    def test_notes_are_told_and_are_no_problem(self, uri: str) -> None:
        Path(uri, "models", "stray.parquet").write_text("")
        assert [note.place for note in lake.open(uri).notes()] == ["models/stray.parquet"]
        result = run("check", "--lake", uri)
        assert result.exit_code == 0
        assert result.output.startswith("No problems.\n")
        assert "models/stray.parquet" in result.output
        found = json.loads(run("check", "--json", "--lake", uri).output)
        assert found["problems"] == []
        assert [note["place"] for note in found["notes"]] == ["models/stray.parquet"]

    def test_problems_come_before_notes(self, uri: str) -> None:
        append(lake.open(uri), labels=[label(1, source_id=None)])
        Path(uri, "models", "stray.parquet").write_text("")
        result = run("check", "--lake", uri)
        assert result.exit_code == 1
        assert result.output.index("not in structures") < result.output.index("stray.parquet")
        found = json.loads(run("check", "--json", "--lake", uri).output)
        assert (len(found["problems"]), len(found["notes"])) == (1, 1)


def test_vacuum_can_forget_versions_that_have_no_tag(uri: str) -> None:
    lk = lake.open(uri)
    for i in range(2):
        append(lk, structures=[structure(i)])
    lk.optimize(["structures"])
    kept = run("vacuum", "--keep-days", "0", "--lake", uri, "--json")
    forgotten = run(
        "vacuum", "--keep-days", "0", "--keep-versions", "tagged", "--lake", uri, "--json"
    )
    assert kept.exit_code == forgotten.exit_code == 0
    assert len(json.loads(forgotten.stdout)) == len(json.loads(kept.stdout)) + 2
