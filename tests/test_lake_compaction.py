"""Merging small files."""

from __future__ import annotations

import time
from typing import Any

import polars as pl
import pytest
from lake_samples import append, ingest, label, region, structure
from polars.testing import assert_frame_equal

from lake.errors import NotFoundError
from lake.lake import Lake
from lake.upkeep import merging


def rows(lk: Lake, table: str) -> pl.DataFrame:
    return lk.scan(table).sort(lake_grain(table)).collect()


def lake_grain(table: str) -> list[str]:
    return ["dataset", "structure_id", "label_set"] if table == "labels" else ["structure_id"]


def test_small_files_become_one_sorted_file_per_partition(lk: Lake) -> None:
    for i in (3, 1, 2):
        append(
            lk, structures=[structure(i, source_id=None), structure(10 + i, "ni", source_id=None)]
        )
    append(lk, structures=[structure(5, "al", source_id=None)])
    before = lk.scan("structures").sort("structure_id").collect()
    found = lk.optimize()
    assert found.select("table", "partition", "files_before", "files_after").rows() == [
        ("structures", "dataset=cu", 3, 1),
        ("structures", "dataset=ni", 3, 1),
    ]
    assert lk.version == 5
    assert_frame_equal(lk.scan("structures").sort("structure_id").collect(), before)
    assert lk.scan("structures", dataset="cu").collect()["structure_id"].to_list() == [1, 2, 3]
    assert len(lk.reader.files("structures")) == 3
    assert len(lk.at(4).reader.files("structures")) == 7
    assert_frame_equal(lk.at(4).scan("structures").sort("structure_id").collect(), before)
    assert lk.check() == []
    assert lk.diff(4, 5).select("rows_added", "rows_removed").rows() == [(0, 0), (0, 0)]


def test_a_second_time_there_is_nothing_to_do(lk: Lake) -> None:
    for i in range(20):
        append(lk, structures=[structure(i)])
    assert set(lk.optimize()["table"]) == {"structures", "commits"}
    version = lk.version
    assert lk.optimize().is_empty()
    assert lk.version == version


def test_the_log_reads_the_same_after_its_own_table_was_merged(lk: Lake) -> None:
    for i in range(20):
        append(lk, structures=[structure(i)])
    before = lk.log()
    lk.optimize(["commits"])
    assert len(lk.reader.files("commits")) == 2
    assert_frame_equal(lk.log()[1:], before)
    assert_frame_equal(lk.at(20).log(), before)
    assert len(lk.at(7).log()) == 7
    assert lk.log()["operation"][0] == "optimize"


TRICKY: list[dict[str, Any]] = [
    label(1, energy=None, forces=None),
    label(2, energy=float("nan")),
    label(3, energy=-0.0, stress=dict.fromkeys(("xx", "yy", "zz", "yz", "xz", "xy"), 1e-300)),
    label(4, n_atoms=1, forces={"x": [5e-324], "y": [-0.0], "z": [float("inf")]}),
    label(5, source_id=None, frame=None),
]


def test_no_value_changes_on_the_way(lk: Lake) -> None:
    for row in TRICKY:
        append(lk, labels=[row])
    arrays = [
        {"name": "q", "n_columns": 1, "floats": [0.1, float("nan")]},
        {"name": "s", "n_columns": 1, "strings": ["ä", ""]},
        {"name": "empty", "n_columns": 0, "integers": []},
    ]
    append(lk, structures=[structure(1, arrays=arrays, info='{"a": 1}', pbc=[True, False, True])])
    append(lk, structures=[structure(2, arrays=[], elements=[], config_type=None)])
    append(lk, structures=[structure(3, arrays=None)])
    append(lk, regions=[region(1, region=["core", None])])
    append(lk, regions=[region(2, distance=None, centre=[1.0, 2.0, 3.0])])
    before = {name: rows(lk, name) for name in ("labels", "structures", "regions")}
    lk.optimize()
    for name, frame in before.items():
        assert len(lk.reader.files(name)) == 1
        assert_frame_equal(rows(lk, name), frame, check_exact=True)
        assert str(rows(lk, name).to_dicts()) == str(frame.to_dicts())  # -0.0 is not 0.0


def test_bins_and_small_merges_of_bins(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(8):
        append(lk, structures=[structure(i)])
    size = max(file.size for file in lk.reader.files("structures"))
    monkeypatch.setattr(merging, "BIN_BYTES", 2 * size)  # what comes out is small again
    lk.optimize(["structures"])
    assert len(lk.reader.files("structures")) == 1
    assert lk.optimize(["structures"]).is_empty()
    on_disk = [f for f in lk.storage.list_files("structures") if "optimized" in f.path]
    assert len(on_disk) == 1, "what was merged on the way is gone"


def test_large_files_stay(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        append(lk, structures=[structure(i)])
    monkeypatch.setattr("lake.upkeep.compaction.SMALL_BYTES", 10)
    assert lk.optimize(["structures"]).is_empty()


def test_an_unknown_table_is_named(lk: Lake) -> None:
    with pytest.raises(NotFoundError, match="structures"):
        lk.optimize(["structure"])


def overtake(monkeypatch: pytest.MonkeyPatch, lk: Lake, other_writer: Any) -> None:
    """Let another writer commit while the first plan of `lk` waits to be committed."""
    commit, calls = lk.commit, []

    def overtaken(operation, plan, **named):
        def slow_plan(state):
            changes = plan(state)
            if not calls:
                calls.append(state)
                other_writer()
            return changes

        return commit(operation, slow_plan, **named)

    monkeypatch.setattr(lk, "commit", overtaken)


def test_what_is_appended_meanwhile_stays(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        ingest(lk, [i], source_id=i)
    other = Lake(lk.storage)
    overtake(monkeypatch, lk, lambda: ingest(other, [3, 4], source_id=3))
    lk.optimize()
    assert sorted(lk.scan("structures").collect()["structure_id"]) == [0, 1, 2, 3, 4]
    assert len(lk.reader.files("structures")) == 2
    assert lk.check() == []


def test_what_is_dropped_meanwhile_stays_dropped(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        ingest(lk, [i], "cu", source_id=i)
        ingest(lk, [10 + i], "ni", source_id=10 + i)
    other = Lake(lk.storage)
    overtake(monkeypatch, lk, lambda: other.drop(dataset="cu"))
    found = lk.optimize()
    assert set(found["partition"]) == {"dataset=ni", "dataset=ni/label_set=dft"}
    assert lk.scan("structures").collect()["dataset"].unique().to_list() == ["ni"]
    assert lk.check() == []


def test_of_two_optimizers_one_has_nothing_left(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        ingest(lk, [i], source_id=i)
    other = Lake(lk.storage)
    overtake(monkeypatch, lk, other.optimize)
    assert lk.optimize().is_empty()
    assert lk.version == 4
    assert lk.check() == []


def test_a_drop_planned_before_an_optimize_takes_the_merged_file(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(3):
        ingest(lk, [i], source_id=i)
    other = Lake(lk.storage)
    overtake(monkeypatch, lk, other.optimize)
    lk.drop(dataset="cu")
    assert lk.scan("structures").collect().is_empty()
    assert lk.check() == []


@pytest.mark.slow
def test_queries_over_many_small_files_get_faster(lk: Lake) -> None:
    for i in range(300):
        append(lk, structures=[structure(i)])

    def seconds() -> float:
        lk.sql("SELECT sum(n_atoms) FROM structures").fetchall()
        start = time.perf_counter()
        lk.sql("SELECT sum(n_atoms), max(numbers[1]) FROM structures").fetchall()
        return time.perf_counter() - start

    before = seconds()
    lk.optimize(["structures"])
    assert seconds() < before / 3
