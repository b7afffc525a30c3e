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
