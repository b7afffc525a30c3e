"""The earlier way: a JSON cache per model, and a loop over its structures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from lake.lake import Lake


def write(lk: Lake, folder: Path) -> None:
    """One cache per model, reference and prediction of every structure in it, and the regions."""
    folder.mkdir()
    regions = lk.sql("SELECT region FROM regions ORDER BY structure_id").fetchall()
    (folder / "regions").write_text(json.dumps([region for (region,) in regions]))
    for (model,) in lk.sql("SELECT model FROM models ORDER BY model").fetchall():
        rows = lk.sql(
            "SELECT l.forces AS reference, p.forces AS prediction FROM predictions AS p "
            "JOIN labels AS l USING (dataset, structure_id) WHERE p.model = $model "
            "ORDER BY structure_id",
            {"model": model},
        ).fetchall()
        cache = [
            {
                "structure_idx": index,
                "reference": {"forces": _vectors(reference)},
                "prediction": {"forces": _vectors(prediction)},
            }
            for index, (reference, prediction) in enumerate(rows)
        ]
        (folder / f"{model}.json").write_text(json.dumps(cache))


def _vectors(forces: dict[str, list[float]]) -> list[list[float]]:
    return np.transpose([forces[axis] for axis in "xyz"]).tolist()


def errors(folder: Path) -> dict[tuple[str, str], float]:
    """Mean norm of the error by model and region."""
    regions = [np.array(region) for region in json.loads((folder / "regions").read_text())]
    names = sorted({name for region in regions for name in region if name is not None})
    result = {}
    for file in sorted(folder.glob("*.json")):
        norms: dict[str, list[np.ndarray]] = {name: [] for name in names}
        for structure in json.loads(file.read_text()):
            difference = np.subtract(
                structure["prediction"]["forces"], structure["reference"]["forces"]
            )
            norm = np.linalg.norm(difference, axis=1)
            region = regions[structure["structure_idx"]]
            for name in names:
                norms[name].append(norm[region == name])
        for name in names:
            result[file.stem, name] = float(np.concatenate(norms[name]).mean())
    return result
