"""The summary of a lake."""

from __future__ import annotations

import json

import pytest
from lake_samples import append, ingest, label, latents, prediction, region, source, structure

from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store


def test_an_empty_lake_says_what_to_do(lk: Lake) -> None:
    info = lk.info()
    assert info.version == 0
    assert info.last_commit is None
    assert not info.datasets
    assert "atomlake ingest" in info.text()


def test_everything_is_counted(lk: Lake) -> None:
    stress = dict.fromkeys(("xx", "yy", "zz", "yz", "xz", "xy"), 0.0)
    with open_latent_store(lk.storage, "job") as writer:
        pointer = writer.append(1, latents(2))
    append(
        lk,
        "everything",
        structures=[structure(1), structure(2, n_atoms=3), structure(3, config_type="vacancy")],
        labels=[
            label(1, stress=stress),
            label(2, n_atoms=3, forces=None),
            label(3, energy=None),
            label(1, label_set="emt"),
        ],
        predictions=[prediction(1), prediction(2, status="failed", energy=None, forces=None)],
        embeddings=[{"dataset": "cu", "model": "m1", "model_id": 7, **pointer.as_row()}],
        regions=[region(1)],
        sources=[source(3, frames_read=6, duplicates=2, rejects=1)],
        runs=[{"project": "p", "run_id": "a", "name": "a"}],
        models=[{"model_id": 7, "model": "m1", "engine": "mace", "path": "m", "sha256": "0"}],
    )
    ingest(lk, [1], "ni", source_id=2)
    info = lk.info()
    cu = info.as_dict()["datasets"]["cu"]
    assert cu == {
        "structures": 3,
        "atoms": 7,
        "elements": ["Cu"],
        "config_types": {"bulk": 2, "vacancy": 1},
        "label_sets": {
            "dft": {"energies": 2, "forces": 2, "stresses": 1},
            "emt": {"energies": 1, "forces": 1, "stresses": 0},
        },
        "models": {"m1": {"ok": 1, "failed": 1, "latents": {"last (4 × float32)": 1}}},
        "regions": {"vacancy": 1},
        "sources": {"files": 1, "frames": 6, "duplicates": 2, "rejects": 1},
    }
    assert list(info.datasets) == ["cu", "ni"]
    assert info.models == {"m1": "mace"}
    assert info.runs == {"p": 1}
    assert info.last_commit is not None
    assert info.last_commit["operation"] == "ingest extxyz"
    assert info.latents_bytes > 0
    assert info.table_bytes["structures"] == sum(f.size for f in lk.reader.files("structures"))
    assert lk.at(0).info().datasets == {}
    json.dumps(info.as_dict(), default=str)


def test_the_text_is_plain(lk: Lake) -> None:
    append(
        lk,
        structures=[structure(i, config_type=f"kind{i}") for i in range(7)],
        labels=[label(i) for i in range(7)],
        sources=[source(7)],
    )
    text = lk.info().text()
    assert "cu: 7 structures, 14 atoms of Cu" in text
    assert "kind4 1, and 2 kinds more" in text
    assert "labels dft: 7 with energy, 7 with forces, 0 with stress" in text
    assert "read from 1 file: 7 frames, 0 duplicates, 0 rejects" in text
    assert "on disk" in text
    assert "structures" in text.splitlines()[-1]


def test_forces_are_not_read(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(lk, range(3))
    asked = []
    reader = lk.reader
    sql = reader.sql
    monkeypatch.setattr(reader, "sql", lambda query: (asked.append(query), sql(query))[1])
    lk.info()
    assert asked
    assert not any("forces" in query or "positions" in query for query in asked)
