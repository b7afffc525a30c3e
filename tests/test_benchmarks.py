from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.contenders import Contender, NotInstalledError, compare
from benchmarks.frames import huge_frame, large_frames, long_file, small_frames
from benchmarks.process_memory import peak_memory
from benchmarks.result import SPEED_FRAMES, TIME, Goal, Quantity, Result
from benchmarks.setting import Setting
from benchmarks.table import HEADING, number, table_text

CHECKOUT = Path(__file__).parent.parent
COLUMNS = {
    "question",
    "contender",
    "quantity",
    "unit",
    "median",
    "least",
    "greatest",
    "n",
    "ratio",
    "goal",
    "is_met",
    "note",
}


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path, is_quick=True, repeats=3)


def test_quick_run_gives_every_column(tmp_path):
    file = tmp_path / "results.json"
    words = ["ingest-large", "reingest", "--quick", "--folder", str(tmp_path), "--json", str(file)]
    printed = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", *words],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    content = json.loads(file.read_text())
    assert {"cores", "python", "atomlake"} <= set(content["machine"])
    assert {row["question"] for row in content["results"]} == {
        "ingest-large",
        "reingest-small",
        "reingest-long",
    }
    for row in content["results"]:
        assert set(row) == COLUMNS
        assert row["n"] == 1
        assert row["median"] > 0
        assert row["contender"] in printed
    assert not list(tmp_path.glob("quick/scratch-*"))


@pytest.mark.parametrize(
    ("quantity", "ours", "theirs", "ratio"),
    [(SPEED_FRAMES, 60.0, 20.0, 3.0), (TIME, 2.0, 6.0, 3.0)],
)
def test_ratio_says_how_many_times_better_atomlake_is(quantity, ours, theirs, ratio):
    result = Result("q", "peer", quantity, (theirs,), ours, Goal(least_ratio=3))
    assert result.ratio == ratio
    assert result.is_met
    assert not Result("q", "peer", quantity, (theirs,), ours, Goal(least_ratio=3.1)).is_met


@pytest.mark.parametrize(("most", "is_met"), [(0.0, True), (1.0, True), (-1.0, False)])
def test_a_goal_of_zero_is_a_goal(most, is_met):
    assert Result("q", "ours", TIME, (0.0,), goal=Goal(most=most)).is_met is is_met


def test_contenders_take_turns_and_the_median_counts(setting):
    order = []

    def contender(name, values):
        left = iter(values)

        def measure_once(folder):
            assert not list(folder.iterdir())
            order.append(name)
            return {TIME: next(left)}

        return Contender(name, measure_once)

    ours, peer = compare(
        "q", [contender("a", [1.0, 9.0, 2.0]), contender("b", [4.0, 4.0, 40.0])], setting
    )
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert (ours.figure, ours.ratio) == (2.0, None)
    assert (peer.figure, peer.ratio) == (4.0, 2.0)


def test_what_is_not_installed_is_a_row_that_says_so(setting):
    def measure_once(folder):
        raise NotInstalledError("not installed")

    (result,) = compare("q", [Contender("peer", measure_once)], setting)
    assert (result.values, result.ratio, result.note) == ((), None, "not installed")
    assert "not installed" in table_text([result])


def test_table_is_aligned():
    quantity = Quantity("speed", "frames/s", is_better_larger=True)
    rows = [Result("q", name, quantity, (1234.5, 20.0)) for name in ("a", "a longer name")]
    lines = table_text(rows).splitlines()
    assert len(lines) == 2 + len(rows)
    assert [lines[0].split()[i] for i in range(3)] == list(HEADING[:3])
    assert lines[2].index("speed") == lines[3].index("speed") == lines[0].index("quantity")


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (0.012345, "0.0123"), (12345.6, "12,346")])
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize("make", [small_frames, large_frames, long_file])
def test_files_hold_the_frames_they_say_and_no_two_are_equal(setting, make):
    from ase.io import read

    file, n_frames = make(setting)
    frames = read(file, ":", format="extxyz")
    assert len(frames) == n_frames
    assert len({atoms.positions.tobytes() for atoms in frames}) == n_frames
    assert all({"energy", "forces"} <= set(atoms.calc.results) for atoms in frames)
    written = file.stat().st_mtime_ns
    assert make(setting)[0].stat().st_mtime_ns == written


def test_the_huge_frame_is_one_frame(setting):
    from ase.io import read

    file, n_atoms = huge_frame(setting)
    assert [len(atoms) for atoms in read(file, ":", format="extxyz")] == [n_atoms]


def test_peak_memory_sees_the_processes_a_command_starts():
    held = 60_000_000
    child = f"import time; held = bytearray({held}); time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    peak = peak_memory([sys.executable, "-c", parent])
    assert held < peak.tree < 3 * held
    assert held < peak.largest


def test_a_command_that_fails_is_an_error():
    with pytest.raises(subprocess.CalledProcessError):
        peak_memory([sys.executable, "-c", "raise SystemExit(3)"])
