"""The check finds what is wrong, and nothing where nothing is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lake_samples import (
    append,
    failed_prediction,
    ingest,
    label,
    latents,
    model,
    prediction,
    region,
    source,
    structure,
    vectors,
)

import lake
from lake.checks.checking import notes
from lake.checks.row_check import check_rows, rules
from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store
from schemas import TABLES


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    """A sound lake with something in every table."""
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, [1, 2], "cu", source_id=1)
    with open_latent_store(lk.storage, "job") as writer:
        pointers = [writer.append(1, latents(2)), writer.append(2, latents(2))]
    append(
        lk,
        structures=[structure(3, n_atoms=1, source_id=2)],
        sources=[source(1, "cu", 2, frames_read=3, duplicates=1, rejects=1)],
        rejects=[{"dataset": "cu", "source_id": 2, "uri": "u", "frame": 1, "reason": "bad"}],
        predictions=[prediction(1), failed_prediction(2)],
        embeddings=[embedding(p.as_row()) for p in pointers],
        regions=[region(1)],
        models=[model()],
        runs=[{"project": "p", "run_id": "r", "name": "r"}],
        training_history=[{"project": "p", "run_id": "r", "step": 0, "key": "loss", "value": 1.0}],
    )
    lk.tag("sound")
    return lk


def embedding(pointer: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"dataset": "cu", "model": "m1", "model_id": 7, **pointer, **more}


def data_file(lk: Lake, table: str) -> Path:
    return Path(lk.reader.urls(table)[0])


@pytest.mark.parametrize("deep", [True, False])
def test_a_sound_lake_has_no_problem(lk: Lake, deep: bool) -> None:
    assert lk.check(deep=deep) == []
    assert notes(lk.reader) == []
    assert lk.at(0).check(deep=deep) == []
    assert lk.at(1).check(deep=deep) == []


def only(lk: Lake, **options: Any) -> Any:
    problems = lk.check(**options)
    assert len(problems) == 1, problems
    return problems[0]


def test_a_missing_file(lk: Lake) -> None:
    data_file(lk, "models").unlink()
    assert "missing" in only(lk, deep=False).what


def test_a_file_of_another_size(lk: Lake) -> None:
    with data_file(lk, "models").open("ab") as stream:
        stream.write(b"x")
    assert "bytes" in only(lk, deep=False).what


def test_a_bit_that_flipped_is_found_by_the_deep_check(lk: Lake) -> None:
    path = data_file(lk, "models")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"parquet-cpp-arrow", b"parquet-cpp-brrow"))
    assert lk.check(deep=False) == []
    problem = only(lk)
    assert problem.table == "models"
    assert problem.place == f"models/{path.name}"
    assert "not those that were written" in problem.what


def test_a_file_that_is_not_parquet(lk: Lake) -> None:
    path = data_file(lk, "models")
    path.write_bytes(b"x" * path.stat().st_size)
    assert "footer" in only(lk, deep=False).what


def test_a_log_entry_that_is_lost_or_torn(lk: Lake) -> None:
    entry = lk.storage.root / "models" / "_delta_log" / f"{1:020}.json"
    whole = entry.read_bytes()
    entry.write_bytes(whole[: len(whole) // 2])
    assert any(p.table == "models" and "log entry" in p.what for p in lk.check())
    entry.unlink()
    assert any(p.table == "models" and "missing" in p.what for p in Lake(lk.storage).check())


# Rows that break one promise each, and how the problem is named.
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "required": ({"structures": [structure(9, formula=None)]}, "formula is NULL"),
    "required list": ({"structures": [structure(9, pbc=None)]}, "pbc is NULL"),
    "length of a list": ({"structures": [structure(9, numbers=[29])]}, "numbers has another"),
    "length of a vector": ({"labels": [label(1, label_set="x", forces=vectors(3))]}, "forces has"),
    "a component missing": (
        {"labels": [label(1, label_set="x", forces=vectors(2) | {"y": None})]},
        "forces has",
    ),
    "cell": ({"structures": [structure(9, cell=[0.0])]}, "the cell or pbc"),
    "array": (
        {"structures": [structure(9, arrays=[{"name": "q", "n_columns": 2, "floats": [1.0]}])]},
        "a per-atom array",
    ),
    "grain": ({"structures": [structure(1)]}, "more than one row"),
    "label of nothing": ({"labels": [label(99)]}, "is not in structures"),
    "region of nothing": ({"regions": [region(99)]}, "is not in structures"),
    "other atoms": ({"predictions": [prediction(3, n_atoms=2)]}, "another number of atoms"),
    "accounting": ({"sources": [source(3, "cu", 5, frames_read=4)]}, "frames_read is not"),
    "rejects of a source": (
        {"sources": [source(3, "cu", 5, frames_read=4, rejects=1)]},
        "not as many",
    ),
    "reject of no source": (
        {"rejects": [{"dataset": "cu", "source_id": 77, "uri": "u", "frame": 0, "reason": "r"}]},
        "source of a reject",
    ),
    "structure of no source": (
        {"structures": [structure(9, source_id=77)]},
        "source of a structure",
    ),
    "label of no source": ({"labels": [label(1, label_set="x", source_id=77)]}, "source of labels"),
    "collision": (
        {"structures": [structure(1, "ni", structure_check=0, source_id=None)]},
        "share one structure_id",
    ),
    "geometries": (
        {"structures": [structure(9, geometry_id=3, geometry_check=0)]},
        "share one geometry_id",
    ),
    "prediction of no model": (
        {"predictions": [prediction(3, model_id=8, n_atoms=1)]},
        "in models",
    ),
    "ok without numbers": (
        {"predictions": [prediction(3, n_atoms=1, energy=None, forces=None)]},
        "numbers and",
    ),
    "failed with energy": (
        {"predictions": [failed_prediction(3, n_atoms=1) | {"energy": 1.0}]},
        "numbers and",
    ),
    "failed for no reason": (
        {"predictions": [failed_prediction(3, n_atoms=1) | {"error": None}]},
        "numbers and",
    ),
    "numbers of no run": (
        {"training_history": [{"project": "p", "run_id": "x", "step": 0, "key": "k"}]},
        "run of a number",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_rows_that_break_a_promise(lk: Lake, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "lake.log.data_files.find_faults", lambda table, rows: []
    )  # another program
    rows, what = BROKEN[name]
    append(lk, **rows)
    problems = lk.check()
    assert any(what in problem.what for problem in problems), problems
    assert {problem.table for problem in problems} == set(rows)
    assert lk.at("sound").check() == []


def test_many_rows_are_one_problem_with_examples(lk: Lake) -> None:
    append(lk, labels=[label(i) for i in range(100, 110)])
    problem = only(lk)
    assert problem.table == "labels"
    assert "cu, structure 100" in problem.place
    assert problem.place.endswith("and 7 more")


def test_pointers_outside_their_array_or_over_each_other(lk: Lake) -> None:
    row = lk.scan("embeddings").filter(structure_id=2).collect().to_dicts()[0]
    append(lk, embeddings=[row | {"structure_id": 3, "n_atoms": 1, "offset": 3}])
    assert "same rows" in only(lk).what
    append(lk, embeddings=[row | {"layer": "0", "offset": 400}])
    assert lk.check()[-1].what == "rows point at 0 to 402; the array has 4 rows"


def test_arrays_that_are_not_what_was_written(lk: Lake) -> None:
    store = lk.scan("embeddings").collect()["store"][0]
    folder = lk.storage.root / store.rpartition("/")[0]
    shard = next(
        file for file in (folder / "last").rglob("*") if file.is_file() and "c" in file.parts
    )
    data = bytearray(shard.read_bytes())
    data[0] ^= 1
    shard.write_bytes(data)
    assert lk.check(deep=False) == []
    assert "not those" in only(lk).what
    shard.write_bytes(data[:-1])
    assert "were written" in only(lk, deep=False).what
    shard.unlink()
    assert "missing" in only(lk, deep=False).what
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {k: v for k, v in manifest["files"].items() if k.endswith("zarr.json")}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert lk.check() == []
    (folder / "stray").write_text("")
    assert "manifest" in only(lk).what
    (folder / "manifest.json").unlink()
    assert any("cannot be read" in p.what for p in lk.check())


@pytest.mark.parametrize("text", ["", "[]", '{"files": []}', '{"files": {"last/zarr.json": {}}}'])
def test_a_manifest_that_is_none_is_a_problem(lk: Lake, text: str) -> None:
    store = lk.scan("embeddings").collect()["store"][0]
    manifest = lk.storage.root / store.rpartition("/")[0] / "manifest.json"
    manifest.write_text(text)
    assert "list of the store's files cannot be read" in only(lk).what


def test_every_rule_can_be_asked_of_an_empty_lake(tmp_path: Path) -> None:
    empty = lake.create(str(tmp_path / "lake"))
    assert check_rows(empty.reader, TABLES, deep=True) == []
    every = list(rules(deep=True))
    assert all(rule.reads and rule.table in rule.reads for rule in every)
    assert {rule.table for rule in every} == set(TABLES)


def test_what_a_crash_leaves_is_a_note_and_no_problem(lk: Lake) -> None:
    (lk.storage.root / "models" / "stray.parquet").write_text("")
    (lk.storage.root / "models" / "_delta_log" / ".x.json.1.tmp").write_text("")
    assert lk.check() == []
    assert sorted(note.place for note in notes(lk.reader)) == [
        "models/_delta_log/.x.json.1.tmp",
        "models/stray.parquet",
    ]
