"""What leaves the lake: whole files, or none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import ase.io
import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from lake_samples import append, ingest, label, prediction, structure, vectors

import lake
from lake.errors import InvalidInputError, NotFoundError, StorageError
from lake.exports import export
from lake.exports.output_file import output_stream
from lake.lake import Lake
from lake.log import data_files


@pytest.fixture
def lk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Datasets cu (0 to 9) and ni (0), in row groups of four atoms; structure 9 has no labels."""
    monkeypatch.setattr(data_files, "ATOMS_PER_ROW_GROUP", 4)
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, range(9))
    append(
        lk,
        structures=[structure(9), structure(0, "ni", n_atoms=1, numbers=[28])],
        labels=[label(0, "ni", n_atoms=1, energy=-7.0)],
        predictions=[prediction(i) for i in range(9)],
    )
    return lk


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "file"


def names(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def only_duckdb(folder: Path) -> Path:
    """A folder that has the package duckdb and nothing else."""
    installed = Path(duckdb.__file__).parents[1]
    folder.mkdir()
    for part in [*installed.glob("_duckdb*"), *installed.glob("duckdb*")]:
        (folder / part.name).symlink_to(part)
    return folder


CLIENT = """
import sys
sys.path.insert(0, sys.argv[1])
import duckdb
try:
    import lake
except ImportError:
    pass
else:
    sys.exit("lake can be imported")
connection = duckdb.connect(sys.argv[2], read_only=True)
for query in sys.argv[3:]:
    print(connection.execute(query).fetchall())
"""


def test_a_process_that_has_only_duckdb_opens_the_file(
    lk: Lake, target: Path, tmp_path: Path
) -> None:
    lk.export_duckdb(str(target))
    packages = only_duckdb(tmp_path / "packages")
    queries = [
        "SELECT count(*) FROM structures WHERE dataset = 'cu'",
        "SELECT dataset, element, count(*) FROM atoms GROUP BY ALL ORDER BY ALL",
        "SELECT model, count(*), max(error_norm) < 1 FROM force_errors GROUP BY ALL",
        "SELECT count(*) FROM regions",
        "SELECT version, exported_at > TIMESTAMP '2020-01-01' FROM lake_info",
        "SELECT typeof(exported_at) FROM lake_info",
    ]
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CLIENT, str(packages), str(target), *queries],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stderr == ""
    assert answer.stdout.splitlines() == [
        "[(10,)]",
        "[('cu', 'Cu', 20), ('ni', 'Ni', 1)]",
        "[('m1', 18, True)]",
        "[(0,)]",
        "[(2, True)]",
        "[('TIMESTAMP',)]",
    ]


def test_the_file_stays_at_its_version(lk: Lake, target: Path) -> None:
    lk.at(1).export_duckdb(str(target))
    with duckdb.connect(str(target), read_only=True) as connection:
        assert connection.sql("SELECT count(*) FROM structures").fetchall() == [(9,)]
        (info,) = connection.sql("SELECT uri, version FROM lake_info").fetchall()
    assert info == (lk.storage.uri, 1)


def test_the_file_can_be_attached_under_another_name(lk: Lake, target: Path) -> None:
    lk.export_duckdb(str(target))
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{target}' AS mine (READ_ONLY)")
        assert connection.sql("SELECT count(*) FROM mine.atoms").fetchall() == [(21,)]


def test_an_earlier_export_is_replaced_and_nothing_else_is(lk: Lake, target: Path) -> None:
    lk.at(1).export_duckdb(str(target))
    lk.export_duckdb(str(target))
    with duckdb.connect(str(target), read_only=True) as connection:
        assert connection.sql("SELECT version FROM lake_info").fetchall() == [(2,)]
    assert names(target.parent) == ["file"]


@pytest.mark.parametrize("kind", ["text", "database", "folder"])
def test_what_is_no_export_is_not_replaced(lk: Lake, target: Path, kind: str) -> None:
    if kind == "text":
        target.write_text("precious")
    elif kind == "folder":
        target.mkdir()
    else:
        duckdb.connect(str(target)).execute("CREATE TABLE t AS SELECT 1").close()
    before = target.read_bytes() if target.is_file() else None
    with pytest.raises(InvalidInputError, match="exists and is not"):
        lk.export_duckdb(str(target))
    assert (target.read_bytes() if target.is_file() else None) == before
    assert names(target.parent) in ([], ["file"])


def test_extxyz_holds_every_structure_with_its_labels(
    lk: Lake, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ATOMS_PER_TEXT", 3)
    assert lk.export_extxyz(str(target), label_prefix="REF_") == 11
    frames = ase.io.read(target, ":", format="extxyz")
    labelled = {f.info["REF_energy"]: f for f in frames if "REF_energy" in f.info}
    assert sorted(labelled) == [-7.0, *map(float, range(9))]
    assert sorted(len(f) for f in frames) == [1, *[2] * 10]
    np.testing.assert_array_equal(labelled[3.0].positions, np.full((2, 3), 3.0))
    np.testing.assert_array_equal(labelled[3.0].arrays["REF_forces"], np.full((2, 3), 0.5))
    assert names(target.parent) == ["file"]


def test_extxyz_of_a_condition(lk: Lake, target: Path) -> None:
    assert lk.export_extxyz(str(target), "energy > 5 AND dataset = 'cu'") == 3
    assert [f.get_potential_energy() for f in ase.io.read(target, ":", format="extxyz")] == [
        6.0,
        7.0,
        8.0,
    ]


def test_extxyz_of_a_condition_that_selects_nothing_writes_nothing(lk: Lake, target: Path) -> None:
    with pytest.raises(InvalidInputError, match="n_atoms > 100"):
        lk.export_extxyz(str(target), "n_atoms > 100")
    assert not target.exists()


def test_extxyz_to_standard_output(lk: Lake, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert lk.export_extxyz("-", "structure_id = 4") == 1
    assert capfdbinary.readouterr().out.startswith(b"2\n")


def test_a_failed_export_leaves_what_was_there(lk: Lake, target: Path) -> None:
    target.write_text("before")
    with pytest.raises(InvalidInputError):
        lk.export_extxyz(str(target), "no_such_column = 1")
    bad = {"name": "site", "n_columns": 1, "strings": ["a b", "c"]}
    append(lk, structures=[structure(50, arrays=[bad])])
    with pytest.raises(InvalidInputError, match="a b"):
        lk.export_extxyz(str(target))
    assert target.read_text() == "before"
    assert names(target.parent) == ["file"]


def test_a_place_that_cannot_be_written_is_told(lk: Lake, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="choose another"):
        lk.export_extxyz(str(tmp_path / "missing" / "a.extxyz"))
    with pytest.raises(InvalidInputError, match="is a folder"):
        lk.export_extxyz(str(tmp_path))


def test_a_pipe_is_written_to_and_not_replaced(lk: Lake, target: Path) -> None:
    os.mkfifo(target)
    reader = os.open(target, os.O_RDWR | os.O_NONBLOCK)
    try:
        assert lk.export_extxyz(str(target), "structure_id = 4") == 1
        assert target.is_fifo()
        assert os.read(reader, 2) == b"2\n"
    finally:
        os.close(reader)


def test_a_place_where_no_database_can_be_made_is_told(lk: Lake, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="choose another"):
        lk.export_duckdb(str(tmp_path / "missing" / "lake.duckdb"))


def test_parquet_has_a_file_for_every_partition(lk: Lake, target: Path) -> None:
    written = lk.export_parquet(str(target), ["structures", "labels", "models"])
    assert written.rows() == [("structures", 2, 11), ("labels", 2, 10), ("models", 0, 0)]
    assert names(target) == [
        "labels/dataset=cu,label_set=dft.parquet",
        "labels/dataset=ni,label_set=dft.parquet",
        "structures/dataset=cu.parquet",
        "structures/dataset=ni.parquet",
    ]


def test_parquet_holds_the_columns_as_declared(lk: Lake, target: Path) -> None:
    lk.export_parquet(str(target))
    rows = pl.read_parquet(target / "labels" / "*.parquet", hive_partitioning=False)
    expected = lk.scan("labels").collect()
    assert rows.sort("dataset", "structure_id").equals(expected.sort("dataset", "structure_id"))
    found = duckdb.sql(f"SELECT dataset, forces FROM '{target}/labels/*.parquet' WHERE energy = 3")
    assert found.fetchall() == [("cu", vectors(2, 0.5))]


def test_parquet_streams_row_groups(lk: Lake, target: Path) -> None:
    lk.export_parquet(str(target), ["structures"])
    assert pq.ParquetFile(target / "structures" / "dataset=cu.parquet").num_row_groups > 3


def test_parquet_without_names_is_every_table_that_has_rows(lk: Lake, target: Path) -> None:
    written = lk.export_parquet(str(target))
    assert set(written["table"]) == {"commits", "labels", "predictions", "sources", "structures"}
    assert (target / "commits" / "commits.parquet").is_file()


def test_parquet_goes_into_an_empty_folder_only(lk: Lake, target: Path) -> None:
    target.mkdir()
    lk.export_parquet(str(target), ["sources"])
    with pytest.raises(InvalidInputError, match="not empty"):
        lk.export_parquet(str(target), ["labels"])
    assert [name.split("/")[0] for name in names(target)] == ["sources"]
    with pytest.raises(NotFoundError, match="Did you mean labels"):
        lk.export_parquet(str(target), ["label"])


def test_a_place_below_a_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    place = str(tmp_path / "file" / "out.xyz")
    expected = r"out\.xyz: Not a directory\. Expected a place"
    with pytest.raises(StorageError, match=expected), output_stream(place) as stream:
        stream.write(b"x")
