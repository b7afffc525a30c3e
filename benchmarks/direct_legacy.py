"""The scheme `legacy` done directly with ASE: a peer in speed, and the reference of the tests."""

from __future__ import annotations

from itertools import product

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from ase.neighborlist import neighbor_list


def nearest_image(atoms: Atoms, i: int, j: int) -> np.ndarray:
    """The vector from one atom to another; of images equally near, lowest in x, then y, then z."""
    vector, distance = find_mic(atoms.positions[j] - atoms.positions[i], atoms.cell, atoms.pbc)
    reach = [(-1, 0, 1) if periodic else (0,) for periodic in atoms.pbc]
    images = [vector + np.array(n) @ atoms.cell for n in product(*reach)]
    equal = [image for image in images if np.linalg.norm(image) < distance + 1e-8]
    return min(equal, key=lambda image: tuple(np.round(image, 6)))


def direct_legacy(
    atoms: Atoms, model_cutoff: float = 5.0, *, settles_ties: bool = True
) -> dict[str, object]:
    """The scheme `legacy` as its definition has it, with ASE's own neighbours and distances."""
    n_atoms = len(atoms)
    distances = atoms.get_all_distances(mic=True)
    pairs = distances[np.triu_indices(n_atoms, 1)]
    first_shell = float(np.clip(1.2 * np.percentile(pairs[pairs > 1e-8], 5), 2.5, 3.5))
    first, second = neighbor_list("ij", atoms, first_shell)
    coordination = np.zeros(n_atoms, int)
    mean = np.zeros(n_atoms)
    for i in range(n_atoms):
        neighbours = second[first == i]
        coordination[i] = len(neighbours)
        if len(neighbours):
            mean[i] = np.mean([distances[i, j] for j in neighbours])
    values, counts = np.unique(coordination, return_counts=True)
    mode = values[np.argmax(counts)]
    if "sia" in atoms.info.get("config_type", "").lower():
        score = [float(max(0, z - mode)) for z in coordination]
    else:
        mean = np.array([round(value, 10) for value in mean])
        spread = np.sqrt(np.mean((mean - mean.mean()) ** 2)) + 1e-12
        score = [
            max(0, mode - z) + 0.5 * (d - np.median(mean)) / spread
            for z, d in zip(coordination, mean, strict=True)
        ]
    k = max(6, int(0.05 * n_atoms))
    top = sorted(range(n_atoms), key=lambda i: (-score[i], i))[:k]
    lowest = min(score[i] for i in top)
    anchor = min(i for i in top if score[i] == lowest)
    vectors = find_mic(atoms.positions - atoms.positions[anchor], atoms.cell, atoms.pbc)[0]
    if settles_ties:
        vectors = [nearest_image(atoms, anchor, i) for i in range(n_atoms)]
    placed = [atoms.positions[anchor] + vector for vector in vectors]
    centre = sum(placed[i] for i in top) / len(top)
    distance = np.array([np.sqrt(sum((place - centre) ** 2)) for place in placed])
    two = [
        "defect" if d < 1.2 * first_shell else "bulk" if d > 3.0 * first_shell else None
        for d in distance
    ]
    core = sorted(range(n_atoms), key=lambda i: (round(distance[i], 10), i))[:8]
    three = ["shell" if d <= model_cutoff else "bulk" for d in distance]
    for i in core:
        three[i] = "core+bulk" if three[i] == "bulk" else "core"
    return {
        "first_shell": first_shell,
        "centre": centre,
        "distance": distance,
        "two": two,
        "three": three,
    }
