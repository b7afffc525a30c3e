"""Faults of files and places end in a message, not in a traceback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lake
from ingest.api import ingest

FRAMES = "".join(
    f"2\nProperties=species:S:1:pos:R:3 energy={i}\nCu 0 0 {i}.5\nNi 1 1 {i}.5\n" for i in range(50)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lakes")
    (folder / "a.xyz").write_text(FRAMES)
    ingest(lake.create(str(folder / "lake")), "extxyz", [str(folder / "a.xyz")], dataset="cu")
    return folder


def atomlake(*arguments, stdout=subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lake.cli", *map(str, arguments)]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    "arguments", [("sql", "SELECT 1", "--format", "csv"), ("sql", "SELECT 1"), ("log",)]
)
def test_no_room_for_the_answer(folder, arguments):
    with Path("/dev/full").open("w") as full:
        ran = atomlake("--lake", folder / "lake", *arguments, stdout=full)
    assert ran.returncode == 1
    assert "No space left" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("name", ["csv", "json", "parquet", "xlsx"])
def test_no_room_for_a_file(folder, name):
    ran = atomlake(
        "--lake", folder / "lake", "sql", "SELECT 1", "--format", name, "-o", "/dev/full"
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: ")
    assert "No space left" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_reader_of_parquet_that_goes_away_is_no_error_to_tell_of(folder):
    command = f"{sys.executable} -m lake.cli --lake {folder / 'lake'} "
    command += "sql 'SELECT random() AS r FROM range(300000)' --format parquet | head -c1"
    ran = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert (ran.stdout, ran.stderr) == (b"P", b"")


def test_a_reader_that_goes_away_is_no_error_to_tell_of(folder):
    command = f"{sys.executable} -m lake.cli --lake {folder / 'lake'} "
    command += "sql 'SELECT * FROM range(300000)' --format csv | head -1"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("range\n", "")


def test_a_damaged_file_of_the_lake_points_to_check(folder):
    shutil.copytree(folder / "lake", folder / "broken")
    file = next((folder / "broken").glob("structures/**/*.parquet"))
    file.write_bytes(file.read_bytes()[:100])
    ran = atomlake("--lake", folder / "broken", "info")
    assert ran.returncode == 1
    assert "atomlake check" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert atomlake("--lake", folder / "broken", "check").returncode == 1


@pytest.mark.parametrize("ending", ["", ".gz", ".xz", ".zst"])
def test_an_export_is_compressed_as_its_name_says(folder, tmp_path, ending):
    out = tmp_path / f"out.xyz{ending}"
    assert atomlake("--lake", folder / "lake", "export", "extxyz", out).returncode == 0
    lk = lake.create(str(tmp_path / "again"))
    assert ingest(lk, "extxyz", [str(out)], dataset="cu").total("rows") == 50
    head = {"": b"2\n", ".gz": b"\x1f\x8b", ".xz": b"\xfd7zXZ", ".zst": b"\x28\xb5\x2f\xfd"}
    assert out.read_bytes().startswith(head[ending])


def test_a_condition_that_selects_nothing_leaves_the_file_as_it_was(folder, tmp_path):
    out = tmp_path / "out.xyz"
    out.write_text("mine")
    ran = atomlake("--lake", folder / "lake", "export", "extxyz", out, "--where", "n_atoms > 99")
    assert ran.returncode == 2
    assert "n_atoms > 99" in ran.stderr
    assert out.read_text() == "mine"


def test_ids_survive_excel(folder, tmp_path):
    import polars as pl

    out = tmp_path / "ids.xlsx"
    query = "SELECT structure_id, n_atoms FROM structures ORDER BY structure_id"
    assert atomlake("--lake", folder / "lake", "sql", query, "-o", out).returncode == 0
    expected = lake.open(str(folder / "lake")).sql(query).pl()
    read = openpyxl_rows(out)
    assert read[0] == ("structure_id", "n_atoms")
    assert [(int(a), b) for a, b in read[1:]] == expected.rows()
    assert pl.Series(read[1][:1]).dtype == pl.String


def test_columns_that_differ_by_case_survive_excel(tmp_path):
    import polars as pl

    from lake.commands.formats import write_result

    out = tmp_path / "case.xlsx"
    write_result(pl.DataFrame({"T": [1e-6], "t": [2], "t (2)": [3]}), "xlsx", out)
    assert openpyxl_rows(out) == [("T", "t (2)", "t (2) (2)"), (1e-6, 2, 3)]
    book = pytest.importorskip("openpyxl").load_workbook(out)
    assert book.active["A2"].number_format == "General"  # other formats show it as 0.000
    book.close()


def openpyxl_rows(path: Path) -> list[tuple]:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra dev is not installed")
    book = openpyxl.load_workbook(path)
    rows = list(book.active.iter_rows(values_only=True))
    book.close()
    return rows
