"""A lake of made-up slabs with the latents of four members, and the same latents as text."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import lake
from lake.latents.latent_writer import open_latent_store
from lake.log.data_files import partitions, write_data_file
from lake.log.transaction import Changes
from schemas import TABLES

DATASET = "slabs"
MEMBERS = ("w1", "w2", "w3", "w4")
SIDE_ANGSTROM = 25.0
NUMBERS = (3, 8, 40, 57)  # Li, O, Zr, La


def make_lake(folder: Path, n_structures: int, n_atoms: int, n_features: int) -> lake.Lake:
    """A lake with slabs whose file names stand in their keys, and latents of four members."""
    lk = lake.create(str(folder))
    random = np.random.default_rng(3)
    rows = [slab_row(i, n_atoms, random) for i in range(n_structures)]
    models = [model_row(k, name) for k, name in enumerate(MEMBERS)]
    add(lk, structures=rows, sources=[source_row(n_structures)], models=models)
    for k, name in enumerate(MEMBERS):
        add(lk, embeddings=latent_rows(lk, k, name, n_structures, n_atoms, n_features))
    return lk


def add(lk: lake.Lake, **rows: Sequence[dict[str, Any]]) -> None:
    """Commit rows to tables."""
    files = {
        name: [
            write_data_file(lk.storage, TABLES[name], partition, uuid.uuid4().hex, part)
            for partition, part in partitions(
                TABLES[name], pa.Table.from_pylist(list(each), schema=TABLES[name].arrow)
            )
        ]
        for name, each in rows.items()
    }
    lk.commit("append", lambda _: Changes(added=files))


def latents_of(member: int, structure: int, n_atoms: int, n_features: int) -> NDArray[np.float32]:
    """Latents the members share, and what each adds."""
    shared = np.random.default_rng([structure]).standard_normal((n_atoms, n_features), np.float32)
    own = np.random.default_rng([structure, member]).standard_normal(shared.shape, np.float32)
    return shared + np.float32(0.1) * own


def latent_rows(
    lk: lake.Lake, member: int, name: str, n_structures: int, n_atoms: int, n_features: int
) -> list[dict[str, Any]]:
    """Write the latents of a member; the rows that point at them."""
    with open_latent_store(lk.storage, name) as writer:
        pointers = [
            writer.append(i, latents_of(member, i, n_atoms, n_features))
            for i in range(n_structures)
        ]
    own = {"dataset": DATASET, "model": name, "model_id": member + 1, "job_id": name}
    return [{**own, **asdict(pointer)} for pointer in pointers]


def slab_row(number: int, n_atoms: int, random: np.random.Generator) -> dict[str, Any]:
    """A structure of atoms anywhere in a box."""
    positions = random.uniform(0, SIDE_ANGSTROM, (3, n_atoms))
    info = {
        "cleave": ("001", "010", "110")[number % 3],
        "termination": ("Li", "Zr_code93", "La_code71")[number // 3 % 3],
        "facet": ("100", "110", "111")[number // 9 % 3],
        "temperature": 300 + 100 * (number % 5),
        "strain": (number % 7) - 3,
    }
    return {
        "dataset": DATASET,
        "structure_id": number,
        "structure_check": number,
        "geometry_id": number,
        "geometry_check": number,
        "n_atoms": n_atoms,
        "formula": "LLZO",
        "elements": ["La", "Li", "O", "Zr"],
        "numbers": random.choice(NUMBERS, n_atoms).tolist(),
        "positions": dict(zip("xyz", positions.tolist(), strict=True)),
        "cell": (np.eye(3) * SIDE_ANGSTROM).reshape(-1).tolist(),
        "pbc": [True] * 3,
        "config_type": "slab",
        "info": json.dumps(info),
        "source_id": 1,
        "frame": number,
    }


def source_row(n_structures: int) -> dict[str, Any]:
    return {
        "dataset": DATASET,
        "source_id": 1,
        "uri": "slabs.extxyz",
        "format": "extxyz",
        "sha256": "0" * 64,
        "size": 1,
        "options": "{}",
        "frames_read": n_structures,
        "rows": n_structures,
        "duplicates": 0,
        "rejects": 0,
        "read_at": datetime.now(UTC),
    }


def model_row(member: int, name: str) -> dict[str, Any]:
    return {
        "model_id": member + 1,
        "model": name,
        "engine": "mace",
        "group": "bench",
        "seed": member,
        "parent": "base",
        "path": name,
        "sha256": name,
    }


def write_text(folder: Path, n_structures: int, n_atoms: int, n_features: int) -> list[Path]:
    """The latents as a column of extended XYZ, a file per member, as a patched MACE writes them."""
    files = []
    for member, name in enumerate(MEMBERS):
        file = folder / f"{name}.extxyz"
        with file.open("w") as stream:
            for i in range(n_structures):
                latents = latents_of(member, i, n_atoms, n_features)
                stream.write(f"{n_atoms}\n")
                stream.write(
                    f'Lattice="25 0 0 0 25 0 0 0 25" '
                    f'Properties=species:S:1:pos:R:3:latent:R:{n_features} pbc="T T T"\n'
                )
                lines = (" ".join(f"{each:.8g}" for each in row) for row in latents.tolist())
                stream.writelines(f"Li 1.0 2.0 3.0 {line}\n" for line in lines)
        files.append(file)
    return files
