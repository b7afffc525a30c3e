"""Lakes of an earlier atomlake, whose tables lack columns: read, asked, exported and compacted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lake_samples import append, ingest, model, region, structure
from plan_readings import columns, scans
from schema_samples import NULLABLE, earlier, full_rows

import lake
from lake.checks.checking import notes
from lake.errors import CorruptLakeError, InvalidInputError
from lake.lake import Lake
from lake.rows.row_reader import RowReader
from schemas import TABLES

ROWS = (full_rows(1), full_rows(2, "ni"))


def expected(table: str, unknown: Sequence[str], *sets: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows as they must be read: the first set without the columns its writer did not know."""
    rows = [dict(row) for each in sets for row in each[table]]
    for name in unknown:
        if name.startswith(f"{table}."):
            rows[0][name.partition(".")[2]] = None
    schema = TABLES[table].arrow
    return ordered(pa.Table.from_pylist(rows, schema=schema).to_pylist())


def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row.get("structure_id") or row.get("model_id") or row))


def as_arrow(frame: pl.DataFrame, table: str) -> list[dict[str, Any]]:
    rows = frame.to_arrow().select(TABLES[table].arrow.names).cast(TABLES[table].arrow)
    return ordered(rows.to_pylist())


def check_reads(lk: Lake, folder: Path, unknown: Sequence[str], *sets: dict[str, Any]) -> None:
    """Every way to read gives the rows, typed."""
    folder.mkdir()
    assert list(lk.info().datasets) == ["cu", "ni"][: len(sets)]
    assert lk.export_extxyz(str(folder / "frames.extxyz")) == len(sets)
    lk.export_parquet(str(folder / "copy"))
    lk.export_duckdb(str(folder / "views.duckdb"))
    with lk.connect() as views, duckdb.connect(str(folder / "views.duckdb")) as exported:
        for name in ROWS[0]:
            rows, schema = expected(name, unknown, *sets), TABLES[name].arrow
            empty = lake.create(str(folder / "empty")).scan(name).collect_schema()
            assert lk.scan(name).collect_schema() == empty
            assert as_arrow(lk.scan(name).collect(), name) == rows
            for relation in (
                lk.sql(f"SELECT * FROM {name}"),
                views.sql(f"FROM {name}"),
                exported.sql(f"FROM {name}"),
            ):
                assert relation.columns == schema.names
                assert as_arrow(relation.pl(), name) == rows
            stored = TABLES[name].file_arrow
            found = lk.reader.columns(name, lk.reader.files(name), stored.names)
            assert found.schema.equals(stored)
            parts = [{name: row[name] for name in stored.names} for row in rows]
            assert ordered(found.to_pylist()) == ordered(parts)
            copies = [pq.read_table(path) for path in (folder / "copy" / name).glob("*.parquet")]
            assert ordered(pa.concat_tables(copies).to_pylist()) == rows
            if "structure_id" in schema.names:
                ids = [row["structure_id"] for row in rows]
                assert RowReader(lk.reader, name).fetch(ids).to_pylist() == rows


def check_other_readers(lk: Lake, unknown: Sequence[str], *sets: dict[str, Any]) -> None:
    """delta-rs, Polars and DuckDB read files with and without the columns together."""
    for name in ROWS[0]:
        rows = expected(name, unknown, *sets)
        delta = DeltaTable(lk.storage.url(name))
        assert {field.name for field in delta.schema().fields} == set(TABLES[name].arrow.names)
        assert delta.metadata().id == DeltaTable(lk.storage.url(name), version=0).metadata().id
        assert as_arrow(pl.scan_delta(delta).collect(), name) == rows
        read = "FROM read_parquet($urls, union_by_name = true, hive_partitioning = true)"
        assert as_arrow(duckdb.sql(read, params={"urls": delta.file_uris()}).pl(), name) == rows


@settings(deadline=None, max_examples=6)
@given(unknown=st.lists(st.sampled_from(NULLABLE), unique=True))
@example(unknown=NULLABLE)
@pytest.mark.slow
def test_columns_declared_since_are_null_in_rows_from_before(unknown: list[str]) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        with earlier(unknown):
            lk = lake.create(str(folder / "lake"))
            append(lk, **ROWS[0])
        lk = lake.open(lk.storage.uri)
        check_reads(lk, folder / "before", unknown, ROWS[0])
        append(lk, **ROWS[1])
        check_reads(lk, folder / "after", unknown, *ROWS)
        check_reads(lk.at(1), folder / "past", unknown, ROWS[0])
        check_other_readers(lk, unknown, *ROWS)
        assert not [problem for problem in lk.check() if "cannot be read" in problem.what]
        assert notes(lk.reader) == []


SINCE = ("regions.kinds", "regions.n_defects", "models.run_project", "structures.config_type")


@pytest.fixture
def old(tmp_path: Path) -> Lake:
    """Three versions by an atomlake without the columns of `SINCE` and the table ood_scores."""
    with earlier(SINCE, tables=["ood_scores"]):
        lk = lake.create(str(tmp_path / "lake"))
        ingest(lk, [1, 2])
        ingest(lk, [1, 2], "ni", source_id=2)
        append(lk, models=[model()], regions=[region(1), region(2)])
    return lake.open(lk.storage.uri)


def test_a_lake_from_before_is_asked_as_any_other(old: Lake) -> None:
    query = "SELECT structure_id, kinds, n_defects, config_type FROM regions JOIN structures "
    query += "USING (dataset, structure_id) WHERE dataset = 'cu' ORDER BY ALL"
    assert old.sql(query).fetchall() == [(1, None, None, None), (2, None, None, None)]
    assert old.sql("SELECT count(*) FROM ood_scores").fetchall() == [(0,)]
    assert old.sql("SELECT model, run_id, project FROM model_runs").fetchall() == []
    assert old.info().datasets["cu"].config_types == {}
    assert old.check() == []
    assert notes(old.reader) == []
    assert [part["structure_id"] for part in old.torch_dataset(shuffle=False)] == [1, 2, 1, 2]
    assert [len(part) for part in old.iter_atoms("config_type IS NULL")] == [4]


def test_nothing_is_done_to_a_lake_that_is_read(old: Lake) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path(old.storage.uri).rglob("*")}
    old.info(), old.check(), old.scan("regions").collect(), old.sql("FROM structures").fetchall()
    assert {path: path.stat().st_mtime_ns for path in Path(old.storage.uri).rglob("*")} == before


def test_files_and_columns_not_asked_for_are_not_read(old: Lake) -> None:
    append(old, structures=[structure(3, "ag")])
    for dataset in ("cu", "ni"):
        query = f"SELECT n_atoms, config_type FROM structures WHERE dataset = '{dataset}'"
        (scan,) = scans(old, f"{query} AND structure_id > 1")
        assert scan["Scanning Files"] == "1/3"
        assert columns(scan) == {"n_atoms", "config_type"}
        assert "structure_id > 1" in scan["Filters"]
    plan = old.scan("structures", dataset="cu").select("config_type").explain()
    assert "dataset=ni" not in plan


def test_old_and_new_files_are_merged_and_compared(old: Lake) -> None:
    append(old, regions=[region(1, "ni", kinds=["vacancy"]), region(2, "ni")])
    append(old, regions=[region(9, "cu", n_defects=3)])
    before = as_arrow(old.scan("regions").collect(), "regions")
    assert old.optimize(["regions"])["files_before"].to_list() == [2]
    assert as_arrow(old.scan("regions").collect(), "regions") == before
    assert [row[2:4] for row in old.diff(4, 6).iter_rows()] == [(1, 0)]
    assert [row[2:4] for row in old.diff(5, 6).iter_rows()] == [(0, 0)]
    old.vacuum(dry_run=False, keep_days=0)
    assert old.at(3).sql("SELECT count(*), count(kinds) FROM regions").fetchall() == [(2, 0)]
    assert old.sql("SELECT count(*), count(kinds) FROM regions").fetchall() == [(5, 1)]


def test_a_table_the_lake_was_made_without_is_made_when_it_is_written(old: Lake) -> None:
    rows = full_rows(1)["ood_scores"]
    append(old, ood_scores=rows)
    assert as_arrow(old.scan("ood_scores").collect(), "ood_scores") == expected(
        "ood_scores", (), {"ood_scores": rows}
    )
    assert old.at(3).scan("ood_scores").collect().is_empty()
    assert len(pl.scan_delta(old.storage.url("ood_scores")).collect()) == 1


def test_rows_can_be_dropped_that_lack_columns(old: Lake) -> None:
    old.drop(dataset="cu", label_set="dft")
    old.drop(dataset="ni")
    assert old.sql("SELECT dataset, label_set FROM sources").fetchall() == [("cu", None)]


REQUIRED = "regions.scheme_version"


@pytest.fixture
def impossible(tmp_path: Path) -> Lake:
    """A lake whose rows lack a column in which every row needs a value."""
    with earlier([REQUIRED]):
        lk = lake.create(str(tmp_path / "lake"))
        ingest(lk, [1, 2])
        append(lk, regions=[region(1), region(2)])
    return lake.open(lk.storage.uri)


@pytest.mark.parametrize(
    "read",
    [
        lambda lk: lk.sql("SELECT structure_id FROM regions"),
        lambda lk: lk.scan("regions").collect(),
        lambda lk: RowReader(lk.reader, "regions").fetch([1]),
        lambda lk: lk.connect(),
    ],
    ids=["sql", "scan", "rows", "connect"],
)
def test_rows_without_a_value_they_need_are_refused_by_name(impossible: Lake, read: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(impossible)
    message = str(caught.value)
    assert message.startswith("regions/dataset=cu/scheme=vacancy/")
    assert "has no column 'scheme_version', in which every row of regions needs" in message
    assert "or drop its rows and make them anew" in message


def test_rows_without_a_value_they_need_are_found_and_can_be_made_anew(impossible: Lake) -> None:
    (problem,) = impossible.check()
    assert (problem.table, "has no column 'scheme_version'" in problem.what) == ("regions", True)
    assert len(impossible.scan("structures").collect()) == 2
    impossible.drop(dataset="cu", scheme="vacancy")
    append(impossible, regions=[region(1), region(2)])
    assert impossible.sql("SELECT scheme_version FROM regions").fetchall() == [("1",), ("1",)]
    assert impossible.check() == []
    check_other_readers_see(impossible, "regions", 2)


def check_other_readers_see(lk: Lake, table: str, n_rows: int) -> None:
    delta = DeltaTable(lk.storage.url(table))
    assert {field.name for field in delta.schema().fields} == set(TABLES[table].arrow.names)
    assert len(pl.scan_delta(delta).collect()) == n_rows


def test_a_first_entry_that_names_no_columns_is_said_to_be_damaged(old: Lake) -> None:
    entry = Path(old.storage.url("regions/_delta_log")) / f"{0:020}.json"
    lines = [line for line in entry.read_text().splitlines() if '"metaData"' not in line]
    entry.write_text("\n".join(lines))
    with pytest.raises(CorruptLakeError, match="does not say which columns the table has"):
        lake.open(old.storage.uri).sql("FROM regions")
