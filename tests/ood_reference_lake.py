"""A lake whose latents are known: two datasets that share structures, in stores of several jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lake_samples import append, source
from numpy.typing import NDArray
from ood_samples import MEMBERS, add_latents, add_models, add_predictions, add_structures

import lake
from lake.lake import Lake

N_FEATURES = 24
SECOND_FILE = "more.extxyz"  # every second structure of a dataset is from it
N_STORES = 3  # of each member and dataset
SYMBOLS = {3: "Li", 8: "O", 40: "Zr"}
KINDS = ("La", "Li", "Zr")


@dataclass(frozen=True, eq=False)
class Known:
    """What a lake was made of.

    Attributes
    ----------
    ids
        Structures by dataset.
    numbers
        Atomic numbers by structure. Shape (n_atoms,).
    latents
        By structure, as they are stored. Shape (n_members, n_atoms, n_features).
    energies
        By structure. Shape (n_members,), eV.
    forces
        By structure. Shape (n_members, n_atoms, 3), eV/Å.
    kind
        A key of the frame, by structure.
    """

    ids: dict[str, list[int]]
    numbers: dict[int, NDArray[np.int64]]
    latents: dict[int, NDArray[np.float32]]
    energies: dict[int, NDArray[np.float64]]
    forces: dict[int, NDArray[np.float64]]
    kind: dict[int, str]

    def symbols(self, identity: int) -> list[str]:
        return [SYMBOLS[number] for number in self.numbers[identity].tolist()]


def make_known(n_train: int = 250, n_new: int = 90, n_shared: int = 20, seed: int = 0) -> Known:
    """Structures of 1 to 20 atoms; on every atom the members disagree by an amount of its own."""
    random = np.random.default_rng(seed)
    n = n_train + n_new - n_shared
    ids = random.choice(np.iinfo(np.int64).max, n, replace=False) * random.choice([-1, 1], n)
    mixing = random.normal(size=(N_FEATURES, N_FEATURES)) * 0.8 ** np.arange(N_FEATURES)[:, None]
    of_number = {number: 2 * random.normal(size=N_FEATURES) for number in SYMBOLS}
    known = Known({"train": [], "new": []}, {}, {}, {}, {}, {})
    for place, identity in enumerate(ids.tolist()):
        n_atoms = int(random.integers(1, 21))
        numbers = random.choice(list(SYMBOLS), n_atoms)
        is_new = place >= n_train
        whole = random.normal(size=N_FEATURES) * (1 + is_new)
        shared = np.stack([of_number[number] for number in numbers]) + whole @ mixing
        spread = random.lognormal(-1.5 if is_new else -2, 1, size=(n_atoms, 1))
        own = spread * random.normal(size=(len(MEMBERS), n_atoms, N_FEATURES))
        known.numbers[identity] = numbers
        known.latents[identity] = (shared + own).astype(np.float32)
        known.energies[identity] = -500.0 * n_atoms + random.normal(size=len(MEMBERS))
        known.forces[identity] = random.normal(size=(len(MEMBERS), n_atoms, 3))
        known.kind[identity] = KINDS[place % len(KINDS)]
    known.ids["train"] += ids[:n_train].tolist()
    known.ids["new"] += ids[n_train - n_shared :].tolist()
    return known


def make_lake(
    folder: Path,
    known: Known,
    *,
    members: Sequence[int] = range(len(MEMBERS)),
    n_stores: int = N_STORES,
    order: int = 0,
    dtype: str = "float32",
) -> Lake:
    """A lake of what is known.

    Parameters
    ----------
    members
        Which of the members' latents the first model has, which the second, and so on.
    n_stores
        Jobs that each member's latents of a dataset are from.
    order
        Seed of the order in which structures are ingested and lie in the stores.
    """
    lk = lake.create(str(folder / "lake"))
    add_models(lk)
    random = np.random.default_rng(order)
    for dataset, ids in known.ids.items():
        ingested = random.permutation(ids).tolist()
        add_structures(
            lk,
            {i: len(known.numbers[i]) for i in ingested},
            dataset,
            numbers={i: known.numbers[i].tolist() for i in ingested},
            elements={i: sorted(set(known.symbols(i))) for i in ingested},
            info={i: json.dumps({"kind": known.kind[i]}) for i in ingested},
            frame=dict(zip(ingested, range(len(ingested)), strict=True)),
            source_id={i: 1 + place % 2 for place, i in enumerate(ingested)},
        )
        append(lk, sources=[source(len(ids) // 2, dataset, 2, uri=SECOND_FILE)])
        for name, member in zip(MEMBERS, members, strict=True):
            computed = random.permutation(ids)
            for part in np.array_split(computed, n_stores):
                latents = {i: known.latents[i][member].astype(dtype) for i in part.tolist()}
                add_latents(lk, name, latents, dataset, dtype=dtype)
            add_predictions(lk, name, *_predictions(known, computed.tolist(), member), dataset)
    return lk


def _predictions(
    known: Known, ids: list[int], member: int
) -> tuple[dict[int, float], dict[int, NDArray[Any]]]:
    energies = {i: float(known.energies[i][member]) for i in ids}
    return energies, {i: known.forces[i][member] for i in ids}
