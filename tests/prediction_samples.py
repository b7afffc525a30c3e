"""Structures with labels, a registered model, and files of predictions for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lake_samples import append

import lake
from ingest.api import ingest
from ingest.predictions.report import PredictionReport
from lake.lake import Lake

Write = Callable[[str, str | bytes], str]
MODEL_ID = 7


def register(lk: Lake, name: str = "m1", model_id: int = MODEL_ID) -> None:
    """Register a model, as `model add` does."""
    row = {"model_id": model_id, "model": name, "engine": "mace", "path": "m", "sha256": "0" * 64}
    append(lk, models=[row])


@dataclass(frozen=True)
class Frame:
    """A Cu/Ni structure in a sheared box, with made-up labels and predictions."""

    symbols: Sequence[str]
    positions: np.ndarray[Any, Any]
    cell: np.ndarray[Any, Any]
    energy: float
    forces: np.ndarray[Any, Any]
    predicted_energy: float
    predicted_forces: np.ndarray[Any, Any]
    pbc: str = "T T T"
    info: str = ""

    def text(
        self,
        *,
        decimals: int | None = None,
        energy: str = "MACE_energy",
        forces: str = "MACE_forces",
        scale: float = 1.0,
    ) -> str:
        """Extended XYZ with the predictions under these keys."""
        return self._text(
            energy, self.predicted_energy * scale, forces, self.predicted_forces * scale, decimals
        )

    def labelled(self) -> str:
        """Extended XYZ with the labels."""
        return self._text("REF_energy", self.energy, "REF_forces", self.forces, None)

    def _text(
        self,
        energy_key: str,
        energy: float,
        forces_key: str,
        forces: np.ndarray[Any, Any],
        decimals: int | None,
    ) -> str:
        def words(values: Any) -> str:
            numbers = np.asarray(values, float).ravel().tolist()
            if decimals is None:
                return " ".join(map(repr, numbers))
            return " ".join(f"{number:.{decimals}f}" for number in numbers)

        head = (
            f'Lattice="{words(self.cell)}" Properties=species:S:1:pos:R:3:{forces_key}:R:3 '
            f'{energy_key}={energy!r} pbc="{self.pbc}" {self.info}'
        )
        lines = [str(len(self.symbols)), head]
        exact = [" ".join(map(repr, row)) for row in forces.tolist()]
        for symbol, position, force in zip(self.symbols, self.positions, exact, strict=True):
            lines.append(f"{symbol} {words(position)} {force}")
        return "\n".join(lines) + "\n"

    def cached(self, **more: Any) -> dict[str, Any]:
        """The frame as the JSON cache has it."""
        n_ni = self.symbols.count("Ni")
        return {
            "formula": f"Cu{len(self.symbols) - n_ni}" + (f"Ni{n_ni}" if n_ni else ""),
            "n_atoms": len(self.symbols),
            "info": {"config_type": "bulk"},
            "reference": {
                "energy": self.energy,
                "forces": self.forces.tolist(),
                "stress": None,
            },
            "prediction": {
                "energy": self.predicted_energy,
                "forces": self.predicted_forces.tolist(),
                "stress": [0.1, 0.2, 0.3, 0.04, 0.05, 0.06],
            },
            "structure_idx": 0,
            **more,
        }

    def change(self, **more: Any) -> Frame:
        """The frame with something else."""
        return replace(self, **more)


def make_frames(n_frames: int = 6, n_atoms: int = 7, seed: int = 0) -> list[Frame]:
    rng = np.random.default_rng(seed)
    cell = np.array([[6.0, 0.0, 0.0], [1.1, 5.3, 0.0], [0.4, 0.7, 7.1]])
    frames = []
    for _ in range(n_frames):
        forces = rng.normal(size=(n_atoms, 3))
        energy = float(rng.normal(-20.0, 3.0))
        frames.append(
            Frame(
                ["Cu"] * (n_atoms - 2) + ["Ni"] * 2,
                rng.uniform(size=(n_atoms, 3)) @ cell,
                cell + rng.normal(0, 0.05, (3, 3)),
                energy,
                forces,
                energy + 0.125,
                forces + rng.normal(0, 0.05, (n_atoms, 3)),
            )
        )
    return frames


FRAMES = make_frames()


def structures(frames: Sequence[Frame]) -> str:
    return "".join(frame.labelled() for frame in frames)


def cache(frames: Sequence[Frame]) -> str:
    return json.dumps([frame.cached() for frame in frames])


def writer(folder: Path) -> Write:
    def write(name: str, text: str | bytes) -> str:
        path = folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    return write


def lake_of(folder: Path, frames: Sequence[Frame]) -> Lake:
    """A lake with frames and their labels in the dataset cu, and a model."""
    lk = lake.create(str(folder / "lake"))
    path = writer(folder)("structures.xyz", structures(frames))
    ingest(lk, "extxyz", [path], dataset="cu")
    register(lk)
    return lk


@pytest.fixture
def write_here(tmp_path: Path) -> Write:
    """Writes a file of the test; modules name this fixture `write`."""
    return writer(tmp_path)


@pytest.fixture
def lake_of_frames(tmp_path: Path) -> Lake:
    """A lake with `FRAMES`; modules name this fixture `lk`."""
    return lake_of(tmp_path, FRAMES)


def text_of(frames: Sequence[Frame], **how: Any) -> str:
    return "".join(frame.text(**how) for frame in frames)


def counts(report: PredictionReport) -> tuple[int, int, int, int]:
    names = ("frames_read", "rows", "duplicates", "rejects")
    read, rows, duplicates, rejects = (report.total(name) for name in names)
    assert read == rows + duplicates + rejects
    return read, rows, duplicates, rejects


def reasons(report: PredictionReport) -> list[str]:
    return [reject.reason for _, reject in report.rejects]


def predictions(lk: Lake) -> list[tuple[Any, ...]]:
    """Place of the structure in its file, and its prediction; by dataset and place."""
    return lk.sql(
        "SELECT s.dataset, s.frame, p.energy, p.forces, p.stress, p.status FROM predictions AS p "
        "JOIN structures AS s USING (dataset, structure_id) ORDER BY s.dataset, s.frame"
    ).fetchall()


def assert_right(lk: Lake, frames: Sequence[Frame], dataset: str = "cu") -> None:
    """Every structure of a dataset has the prediction that was made for it, to the bit."""
    rows = [row for row in predictions(lk) if row[0] == dataset]
    assert [row[1] for row in rows] == list(range(len(frames)))
    for (_, _, energy, forces, _, status), frame in zip(rows, frames, strict=True):
        assert (energy, status) == (frame.predicted_energy, "ok")
        found = np.array([forces[axis] for axis in "xyz"]).T
        np.testing.assert_array_equal(found, frame.predicted_forces)
    assert lk.check() == []
