"""Writers that declare different columns: none loses what another wrote, in any reader's eyes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from lake_samples import append, ingest, label, model, structure
from schema_samples import earlier, newer, score, structures_of, writer
from writer_samples import before_commit

import lake
from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.log import delta_log, table_columns, transaction
from schemas import TABLES

SINCE = ("labels.stress", "labels.frame")
STRESS = dict.fromkeys(("xx", "yy", "zz", "yz", "xz", "xy"), 0.125)


@pytest.fixture
def old(tmp_path: Path) -> Lake:
    """A lake without the columns of `SINCE` and the table ood_scores, and the label 1."""
    with earlier(SINCE, tables=["ood_scores"]):
        lk = lake.create(str(tmp_path / "lake"))
        append(lk, labels=[label(1)])
    return lake.open(lk.storage.uri)


def delta_columns(lk: Lake, table: str = "labels", version: int | None = None) -> set[str]:
    url, options = lk.storage.url(table), dict(lk.storage.options) or None
    schema = DeltaTable(url, version=version, storage_options=options).schema()
    return {field.name for field in schema.fields}


def entries_with_metadata(lk: Lake, table: str = "labels") -> list[int]:
    log = Path(lk.storage.url(table)) / "_delta_log"
    return [int(f.stem) for f in sorted(log.glob("*.json")) if '"metaData"' in f.read_text()]


ALL = set(TABLES["labels"].arrow.names)


def test_the_log_names_new_columns_once_when_rows_come(old: Lake) -> None:
    assert delta_columns(old) == ALL - {"stress", "frame"}
    append(old, structures=[structure(1)])
    assert entries_with_metadata(old) == [0]
    for identity in (2, 3, 4):
        append(old, labels=[label(identity, stress=STRESS)])
    assert entries_with_metadata(old) == [0, 2]
    assert delta_columns(old) == ALL
    assert delta_columns(old, version=1) == ALL - {"stress", "frame"}
    configuration = DeltaTable(old.storage.url("labels")).metadata().configuration
    skippable = configuration["delta.dataSkippingStatsColumns"].split(",")
    assert "frame" in skippable
    assert "stress" not in skippable


def test_a_lake_of_this_version_gets_no_new_columns(tmp_path: Path) -> None:
    lk = lake.create(str(tmp_path / "lake"))
    append(lk, labels=[label(1)])
    assert [entries_with_metadata(lk, name) for name in ("labels", "commits")] == [[0], [0]]


def test_the_columns_of_a_log_are_looked_for_once(
    old: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with earlier(SINCE):
        for identity in range(2, 8):
            append(old, labels=[label(identity)])
    read, seen = delta_log.read_entry, []

    def counted(storage: Any, name: str, version: int) -> Any:
        if name == "labels":
            seen.append(version)
        return read(storage, name, version)

    monkeypatch.setattr(delta_log, "read_entry", counted)
    monkeypatch.setattr(table_columns, "read_entry", counted)
    append(lake.open(old.storage.uri), labels=[label(8)])
    assert seen == [0, *range(7, -1, -1)]
    for identity in (9, 10):
        seen.clear()
        append(old, labels=[label(identity)])
        assert seen in ([8], [9, 8])


def test_a_checkpoint_keeps_the_columns(old: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "CHECKPOINT_EVERY", 2)
    for identity in (2, 3, 4):
        append(old, labels=[label(identity, stress=STRESS)])
    assert list(Path(old.storage.url("labels/_delta_log")).glob("*.checkpoint.parquet"))
    assert delta_columns(old) == ALL
    assert len(pl.scan_delta(old.storage.url("labels")).collect()) == 4


def test_columns_another_writer_named_meanwhile_stay(
    old: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that knows another column is faster between our look at the log and our entry."""
    put, calls = delta_log.put_entry, []

    def overtaken(storage: Any, name: str, *more: Any) -> bool:
        if name == "labels" and not calls:
            calls.append(name)
            with earlier(["labels.stress"]):
                append(lake.open(old.storage.uri), labels=[label(2)])
        return put(storage, name, *more)

    monkeypatch.setattr(delta_log, "put_entry", overtaken)
    with earlier(["labels.frame"]):
        append(old, labels=[label(3, stress=STRESS)])
    assert delta_columns(old) == ALL
    assert entries_with_metadata(old) == [0, 2, 3]
    rows = old.sql("SELECT structure_id, frame, stress.xx FROM labels ORDER BY ALL").fetchall()
    assert rows == [(1, None, None), (2, 2, None), (3, None, 0.125)]


def test_an_operation_that_dies_leaves_columns_and_no_rows(old: Lake) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        before_commit(patch, die)
        with pytest.raises(KeyboardInterrupt):
            append(old, labels=[label(2, stress=STRESS)])
    assert old.sql("SELECT structure_id, stress FROM labels").fetchall() == [(1, None)]
    append(old, labels=[label(3)])
    old.vacuum(dry_run=False, keep_days=0)
    assert delta_columns(old) == ALL
    assert sorted(pl.scan_delta(old.storage.url("labels")).collect()["structure_id"]) == [1, 3]
    assert [problem.what for problem in old.check() if problem.table != "labels"] == []


@pytest.mark.slow
def test_writers_with_other_columns_at_once_lose_nothing(old: Lake) -> None:
    unknown = [(), (), SINCE, ("labels.frame",)]
    writers = [writer(old.storage.uri, i, 6, *each) for i, each in enumerate(unknown, start=1)]
    for each in writers:
        _, errors = each.communicate()
        assert each.returncode == 0, errors
    wanted = [1] + [1000 * number + i for number in range(1, 5) for i in range(6)]
    assert structures_of(old, "labels") == wanted
    assert structures_of(old, "ood_scores") == wanted[1:]
    assert sorted(pl.scan_delta(old.storage.url("labels")).collect()["structure_id"]) == wanted
    assert delta_columns(old) == ALL
    frames = old.sql("SELECT count(frame) FROM labels").fetchall()
    assert frames == [(12,)]  # of the two that knew the column
    assert old.version == 25
    old.optimize()
    assert structures_of(old, "labels") == wanted
    assert old.sql("SELECT count(frame) FROM labels").fetchall() == frames


@pytest.fixture
def future(tmp_path: Path) -> Lake:
    """A lake of this version, to which a newer one wrote a column and a table."""
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, [1, 2])
    append(lk, models=[model()])
    with newer("labels.charge", "models.price", tables=["novelties"]):
        append(lk, labels=[label(3, charge=1.0)], novelties=[{"n": 1}])
        append(lk, models=[model("m2", 8, price=1.0)])
    return lake.open(lk.storage.uri)


def test_a_lake_of_a_newer_atomlake_is_read_as_far_as_it_is_known(future: Lake) -> None:
    assert future.sql("SELECT structure_id FROM labels ORDER BY ALL").fetchall() == [
        (1,),
        (2,),
        (3,),
    ]
    assert future.scan("labels").collect().columns == TABLES["labels"].arrow.names
    assert future.reader.columns("models", future.reader.files("models"), ["model"]).num_rows == 2
    assert future.at(2).sql("SELECT count(*) FROM labels").fetchall() == [(2,)]
    assert [problem.table for problem in future.check()] == ["labels"]  # 3 has no structure
    assert "newer    labels, models, novelties: of a newer atomlake" in future.info().text()
    assert {note.table for note in future.notes()} == {"novelties", "labels", "models"}
    assert future.at(2).info().newer == ()


@pytest.mark.parametrize(
    "write",
    [
        lambda lk: append(lk, labels=[label(4)]),
        lambda lk: lk.optimize(),
        lambda lk: lk.drop(dataset="cu"),
        lambda lk: lk.tag("mine"),
        lambda lk: lk.vacuum(dry_run=False, keep_days=0),
        lambda lk: lk.vacuum(keep_days=0),
    ],
    ids=["append", "optimize", "drop", "tag", "vacuum", "vacuum dry run"],
)
def test_a_lake_of_a_newer_atomlake_is_not_written_to(future: Lake, write: Any) -> None:
    def entries() -> set[Path]:
        return set(Path(future.storage.uri).rglob("_delta_log/*"))

    before = entries()
    with pytest.raises(InvalidInputError) as caught:
        write(future)
    assert "was written by a newer atomlake" in str(caught.value)
    assert "(labels, models, novelties)" in str(caught.value)
    assert entries() == before
    with newer("labels.charge", "models.price", tables=["novelties"]):
        lk = lake.open(future.storage.uri)
        assert lk.sql("SELECT charge FROM labels WHERE charge > 0").fetchall() == [(1.0,)]
        assert append(lk, labels=[label(5)]) == 5


def test_who_is_overtaken_by_a_newer_atomlake_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lk = lake.create(str(tmp_path / "lake"))

    def overtake() -> None:
        with newer("labels.charge"):
            append(lake.open(lk.storage.uri), labels=[label(1, charge=1.0)])

    before_commit(monkeypatch, overtake)
    with pytest.raises(InvalidInputError, match="newer atomlake"):
        append(lk, labels=[label(2)])
    assert structures_of(lk, "labels") == [1]


def test_a_lake_a_newer_atomlake_made_is_not_written_to_either(tmp_path: Path) -> None:
    with newer("labels.charge"):
        lk = lake.create(str(tmp_path / "lake"))
    lk = lake.open(lk.storage.uri)
    assert lk.scan("labels").collect().is_empty()
    with pytest.raises(InvalidInputError, match=r"does not know \(labels\)"):
        append(lk, labels=[label(1)])
    assert append(lk, ood_scores=[score(1)]) == 1
