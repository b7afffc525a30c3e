"""Lakes with the latents of a made-up ensemble."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from lake_samples import append, label, model, prediction, source, structure
from numpy.typing import NDArray

import lake
from lake.lake import Lake
from lake.latents.latent_writer import open_latent_store

N_FEATURES = 8
DEFINITION = json.dumps({"engine": "mace", "layer": 1})
MEMBERS = ("w1", "w2", "w3", "w4")
Latents = Mapping[str, Mapping[int, NDArray[Any]]]


def random_latents(
    n_atoms: Mapping[int, int],
    members: Sequence[str] = MEMBERS,
    *,
    n_features: int = N_FEATURES,
    seed: int = 0,
) -> dict[str, dict[int, NDArray[np.float32]]]:
    """Latents by member and structure_id, shape (n_atoms, n_features); later ids spread more."""
    random = np.random.default_rng(seed)
    shared = {i: random.normal(size=(n, n_features)) for i, n in n_atoms.items()}
    return {
        name: {
            i: (shared[i] + 0.01 * (i + 1) * random.normal(size=(n, n_features))).astype(np.float32)
            for i, n in n_atoms.items()
        }
        for name in members
    }


def trace(latents: Latents, identity: int) -> NDArray[np.float64]:
    """v_i in float64, as the definition says: shape (n_atoms,)."""
    stacked = np.stack([np.asarray(of[identity], np.float64) for of in latents.values()])
    mean = stacked.mean(axis=0)
    return ((stacked - mean) ** 2).sum(axis=2).mean(axis=0)


def add_structures(
    lk: Lake, n_atoms: Mapping[int, int], dataset: str = "slabs", **more: Mapping[int, Any]
) -> None:
    """Structures of copper and, where there are several atoms, one of oxygen; with labels."""
    rows = [
        structure(
            i,
            dataset,
            n,
            **{
                "numbers": ([8] if n > 1 else []) + [29] * (n - (n > 1)),
                "elements": ["Cu", "O"] if n > 1 else ["Cu"],
                "cell": [9.0, 0, 0, 0, 9.0, 0, 0, 0, 9.0],
                "pbc": [True] * 3,
                **{key: values[i] for key, values in more.items() if i in values},
            },
        )
        for i, n in n_atoms.items()
    ]
    labels = [label(i, dataset, n) for i, n in n_atoms.items()]
    append(lk, structures=rows, labels=labels, sources=[source(len(rows), dataset)])


def add_models(lk: Lake, members: Sequence[str] = MEMBERS, **more: Any) -> None:
    """Members of the group T1 with one parent."""
    rows = [
        model(
            name,
            number(name),
            **{"group": "T1", "seed": k, "parent": "base", "sha256": name, **more},
        )
        for k, name in enumerate(members)
    ]
    append(lk, models=rows)


def number(name: str) -> int:
    """The model_id of a member."""
    return 1_000 + int.from_bytes(name.encode(), "big") % 1_000_003


def add_latents(
    lk: Lake,
    name: str,
    latents: Mapping[int, NDArray[Any]],
    dataset: str = "slabs",
    *,
    layer: str = "last",
    definition: str | None = DEFINITION,
    dtype: str = "float32",
    order: Sequence[int] | None = None,
) -> None:
    """One store with the latents of a member, structures in an order of its own."""
    with open_latent_store(lk.storage, f"job-{name}", dtype=dtype) as writer:
        pointers = [writer.append(i, latents[i], layer=layer) for i in order or latents]
    rows = [
        {
            "dataset": dataset,
            "model": name,
            "model_id": number(name),
            "job_id": "job",
            "definition": definition,
            **asdict(pointer),
        }
        for pointer in pointers
    ]
    append(lk, embeddings=rows)


def add_predictions(
    lk: Lake,
    name: str,
    energies: Mapping[int, float],
    forces: Mapping[int, NDArray[Any]],
    dataset: str = "slabs",
) -> None:
    """Energies and forces of a member; forces have the shape (n_atoms, 3)."""
    rows = [
        prediction(
            i,
            dataset,
            len(forces[i]),
            model=name,
            model_id=number(name),
            energy=energy,
            forces={axis: forces[i][:, k].tolist() for k, axis in enumerate("xyz")},
        )
        for i, energy in energies.items()
    ]
    append(lk, predictions=rows)


def ensemble_lake(
    folder: Path,
    n_atoms: Mapping[int, int],
    latents: Latents | None = None,
    **more: Mapping[int, Any],
) -> tuple[Lake, Latents]:
    """A lake whose members all have latents of all structures, each in another order."""
    lk = lake.create(str(folder / "lake"))
    latents = latents or random_latents(n_atoms)
    add_structures(lk, n_atoms, **more)
    add_models(lk, tuple(latents))
    for k, (name, of) in enumerate(latents.items()):
        ids = list(of)
        add_latents(lk, name, of, order=ids[k:] + ids[:k])
    return lk, latents
