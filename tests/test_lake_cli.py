"""The command line of the lake: options, exit codes, and how answers are printed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from lake_samples import append, ingest, label, structure

import lake
from lake.cli import COMMANDS, root
from lake.commands.cell import cell_text
from lake.commands.formats import FORMATS, format_of, write_result
from lake.errors import InvalidInputError, StorageError

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
    assert result.exit_code == 0 or "--json" not in result.output


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


class TestSql:
    def test_prints_aligned_columns(self, uri: str) -> None:
        result = run(
            "sql",
            "SELECT 1.5 AS a, 'cu' AS name UNION ALL SELECT 10, NULL ORDER BY a",
            "--lake",
            uri,
        )
        assert result.output.splitlines() == ["   a  name", "----  ----", " 1.5  cu", "10.0  NULL"]

    def test_json_has_every_digit(self, uri: str) -> None:
        result = run("sql", "SELECT 0.1::DOUBLE + 0.2::DOUBLE AS x", "--json", "--lake", uri)
        assert json.loads(result.output) == [{"x": 0.1 + 0.2}]

    @pytest.mark.parametrize("name", FORMATS)
    def test_writes_every_format(self, uri: str, tmp_path: Path, name: str) -> None:
        file = tmp_path / f"answer.{name}"
        result = run(
            "sql", "SELECT 7 AS n, [1.5, 2.5] AS v, {'a': 1} AS s", "-o", str(file), "--lake", uri
        )
        assert result.exit_code == 0, result.output
        assert file.stat().st_size > 0

    def test_wrong_sql_is_exit_code_2(self, uri: str) -> None:
        result = run("sql", "SELEC 1", "--lake", uri)
        assert result.exit_code == 2
        assert "syntax error" in result.output

    @pytest.mark.parametrize("query", ["", " ;\n", "-- only a comment", "/* nothing */"])
    def test_no_statement_is_told(self, uri: str, query: str) -> None:
        result = run("sql", query, "--lake", uri)
        assert result.exit_code == 2
        assert "holds no statement" in result.output

    @pytest.mark.parametrize("query", ["-- a comment\nSELECT 42 AS n", "--two words\nSELECT 42"])
    def test_a_query_may_begin_with_a_comment(self, uri: str, query: str) -> None:
        result = run("sql", query, "--lake", uri)
        assert result.exit_code == 0, result.output
        assert "42" in result.output
        assert run("sql", "--fromat", "csv", "--lake", uri).exit_code == 2

    @pytest.mark.parametrize("keep", [None, 100])
    def test_a_damaged_lake_is_exit_code_1(self, uri: str, keep: int | None) -> None:
        ingest(lake.open(uri), [1, 2, 3])
        file = next(Path(uri, "structures").rglob("*.parquet"))
        data = file.read_bytes()
        file.unlink()
        if keep is not None:
            file.write_bytes(data[:keep])
        result = run("sql", "FROM structures", "--lake", uri)
        assert result.exit_code == 1
        assert "atomlake check" in result.output

    def test_cannot_read_other_files(self, uri: str, tmp_path: Path) -> None:
        (tmp_path / "secret.csv").write_text("a\n1\n")
        result = run("sql", f"FROM read_csv('{tmp_path}/secret.csv')", "--lake", uri)
        assert result.exit_code == 2

    def test_reads_other_files_when_unsafe(self, uri: str, tmp_path: Path) -> None:
        (tmp_path / "open.csv").write_text("a\n1\n")
        result = run("sql", f"FROM read_csv('{tmp_path}/open.csv')", "--unsafe", "--lake", uri)
        assert result.exit_code == 0, result.output


class TestShell:
    def test_answers_from_a_pipe(self, uri: str) -> None:
        result = run(
            "shell", "--lake", uri, stdin="SELECT 1\n AS one;\n\\tables\n\\schema tags\n\\quit\n"
        )
        assert result.exit_code == 0, result.output
        assert "one" in result.output
        assert "training_history" in result.output
        assert "tagged_at" in result.output

    def test_goes_on_after_a_mistake_and_says_so(self, uri: str) -> None:
        result = run("shell", "--lake", uri, stdin="SELEC;\n\\schema tag\nSELECT 42 AS n;\n")
        assert result.exit_code == 1
        assert "syntax error" in result.output
        assert "Did you mean tags?" in result.output
        assert "42" in result.output

    def test_statements_of_a_line_run_up_to_the_bad_one(self, uri: str) -> None:
        line = "SELECT 41 AS a; SELECT 'x;y' AS b; SELEC; SELECT 43 AS c;\nSELECT 44 AS d;\n"
        result = run("shell", "--lake", uri, stdin=line)
        assert result.exit_code == 1
        assert [text in result.stdout for text in ("41", "x;y", "43", "44")] == [
            True,
            True,
            False,
            True,
        ]

    def test_a_comment_or_a_quotation_ends_no_statement(self, uri: str) -> None:
        lines = "SELECT 'one;\ntwo' AS a; -- done;\n-- nothing;\nSELECT 7 -- seven;\n AS b"
        result = run("shell", "--lake", uri, stdin=lines)
        assert result.exit_code == 0, result.output
        assert "one; two" in result.stdout
        assert "7" in result.stdout


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


class TestFormats:
    def test_csv_holds_nested_values_as_json(self, tmp_path: Path) -> None:
        frame = pl.DataFrame({"v": [[1.5, None], None], "s": [{"a": 1}, {"a": None}]})
        write_result(frame, "csv", tmp_path / "a.csv")
        assert pl.read_csv(tmp_path / "a.csv")["v"].to_list() == ["[1.5,null]", None]

    def test_parquet_comes_back_as_it_was(self, tmp_path: Path) -> None:
        frame = pl.DataFrame({"v": [[1.5, float("nan")], None]})
        write_result(frame, "parquet", tmp_path / "a.parquet")
        assert pl.read_parquet(tmp_path / "a.parquet").equals(frame)

    def test_an_unknown_ending_names_the_known_ones(self) -> None:
        with pytest.raises(InvalidInputError, match=r"\.csv, \.json, \.parquet, \.xlsx"):
            format_of(Path("answer.txt"))

    def test_a_folder_that_is_not_there_is_a_storage_error(self, tmp_path: Path) -> None:
        with pytest.raises(StorageError, match="cannot be written"):
            write_result(pl.DataFrame({"a": [1]}), "csv", tmp_path / "none" / "a.csv")

    def test_binary_does_not_go_to_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        with pytest.raises(InvalidInputError, match="not text"):
            write_result(pl.DataFrame({"a": [1]}), "xlsx", None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "true"),
        (0, "0"),
        (1 / 3, "0.3333333333"),
        ([1, 2, 3], "[1, 2, 3]"),
        ([], "[]"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_cell_is_one_line(value: object, text: str) -> None:
    assert cell_text(value) == text


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
