"""Slabs that `atomlake query ood` is asked about, and asking it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from ood_samples import add_predictions, ensemble_lake

from lake.cli import root
from lake.lake import Lake

N_ATOMS = {i: 2 + i for i in range(1, 41)}
FACETS = {i: ("100", "111")[i % 2] for i in N_ATOMS}
CELL = [9.0, 0, 0, 1.0, 8.0, 0, 0.5, 0.25, 7.0]


@pytest.fixture(scope="module")
def lake_of_slabs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, dict[str, Any]]:
    """Slabs with latents and predictions of four members, and the latents."""
    random = np.random.default_rng(0)
    positions = {
        i: dict(zip("xyz", random.uniform(0, 7, (3, n)).tolist(), strict=True))
        for i, n in N_ATOMS.items()
    }
    lk, latents = ensemble_lake(
        tmp_path_factory.mktemp("ood"),
        N_ATOMS,
        info={i: json.dumps({"facet": FACETS[i], "T": 300 + i}) for i in N_ATOMS},
        cell=dict.fromkeys(N_ATOMS, CELL) | {40: [0.0] * 9},
        positions=positions,
    )
    for k, name in enumerate(latents):
        energies = {i: k * 0.1 * n for i, n in N_ATOMS.items()}
        add_predictions(lk, name, energies, {i: np.zeros((n, 3)) for i, n in N_ATOMS.items()})
    return lk, dict(latents)


def ask(lk: Lake, folder: Path, *words: str) -> Result:
    """What the command says of the later half of the slabs, written into a folder."""
    base = ["--lake", lk.storage.uri, "query", "ood", "--set", "new=slabs: structure_id > 20"]
    asked = [*base, "--group", "T1", "-o", str(folder), *words]
    return CliRunner().invoke(root, asked, catch_exceptions=True)


def quick(lk: Lake, folder: Path, *words: str) -> Result:
    """The same without what takes long."""
    result = ask(lk, folder, "--no-figures", "--no-distances", *words)
    assert result.exit_code == 0, result.output
    return result


def ids(folder: Path, name: str = "chosen") -> list[int]:
    """The structures of a table."""
    return pl.read_csv(folder / f"{name}.csv")["structure_id"].to_list()
