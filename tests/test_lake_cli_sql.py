"""SQL from the command line: one statement or many, and the forms of the answer."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from lake_samples import ingest

import lake
from lake.cli import root
from lake.commands.cell import cell_text
from lake.commands.formats import FORMATS, format_of, write_result
from lake.errors import InvalidInputError, StorageError


@pytest.fixture
def uri(tmp_path: Path) -> str:
    lake.create(str(tmp_path / "lake"))
    return str(tmp_path / "lake")


def run(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(root, words, input=stdin, env={"ATOMLAKE": None})


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
