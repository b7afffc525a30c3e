"""The log of a lake, and the difference between two versions."""

from __future__ import annotations

from lake_samples import append, files, ingest, structure

from lake.lake import Lake
from lake.log.transaction import Changes


def test_a_new_lake_has_no_history(lk: Lake) -> None:
    assert lk.log().is_empty()
    assert lk.diff(0, 0).is_empty()


def test_the_log_is_newest_first_and_ends_at_the_version_read(lk: Lake) -> None:
    for i in range(3):
        append(lk, f"step {i}", structures=[structure(i)])
    assert lk.log()["operation"].to_list() == ["step 2", "step 1", "step 0"]
    assert lk.at(2).log()["version"].to_list() == [2, 1]
    assert lk.at(0).log().is_empty()


def test_diff_counts_rows_and_files_per_partition(lk: Lake) -> None:
    ingest(lk, [1, 2], "cu")
    ingest(lk, [3], "ni", source_id=2)
    found = lk.diff(1, 2).rows()
    assert found == [
        ("labels", "dataset=ni/label_set=dft", 1, 0, 1, 0),
        ("structures", "dataset=ni", 1, 0, 1, 0),
        ("sources", "dataset=ni", 1, 0, 1, 0),
    ]
    backwards = lk.diff(2, 1).rows()
    assert [row[2:] for row in backwards] == [(0, 1, 0, 1)] * 3


def test_rows_moved_to_another_file_are_neither_added_nor_removed(lk: Lake) -> None:
    append(lk, structures=[structure(1)])
    append(lk, structures=[structure(2)])
    old = lk.reader.files("structures")
    new = files(lk, "structures", [structure(2), structure(1)])
    lk.commit(
        "optimize",
        lambda state: Changes(added={"structures": new}, removed={"structures": old}),
    )
    assert lk.diff(2, 3).rows() == [("structures", "dataset=cu", 0, 0, 1, 2)]
    assert lk.diff(1, 3).rows() == [("structures", "dataset=cu", 1, 0, 1, 1)]


def test_a_row_replaced_by_another_of_its_name_counts_twice(lk: Lake) -> None:
    append(lk, structures=[structure(1)])
    old = lk.reader.files("structures")
    new = files(lk, "structures", [structure(1, config_type="vacancy")])
    lk.commit(
        "replace", lambda state: Changes(added={"structures": new}, removed={"structures": old})
    )
    assert lk.diff(1, 2).rows() == [("structures", "dataset=cu", 1, 1, 1, 1)]
