"""A lake to train from: many small structures in many row groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lake_samples import append, label, structure

import lake
from lake.lake import Lake
from lake.log import data_files

FRAMES = 200
STRESS = dict.fromkeys(("xx", "yy", "zz", "yz", "xz", "xy"), 0.25)


def lake_of_ten_row_groups(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Structures 0 to 199 in ten row groups of 50 atoms or so; every third has no forces."""
    monkeypatch.setattr(data_files, "ATOMS_PER_ROW_GROUP", 50)
    lk = lake.create(str(folder / "lake"))
    structures = [structure(i, n_atoms=1 + i % 4) for i in range(FRAMES)]
    labels = [label(i, n_atoms=1 + i % 4, stress=STRESS) for i in range(FRAMES)]
    for row in labels[::3]:
        row["forces"] = row["stress"] = None
    append(lk, structures=structures, labels=labels)
    return lk


def ids(items: Any) -> list[int]:
    return [int(item["structure_id"]) for item in items]
