"""Crystals with known defects, and the scheme `legacy` done directly with ASE."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.geometry import find_mic
from ase.neighborlist import neighbor_list

from compute.regions.structure import Structure

LATTICES = {"bcc": ("Fe", 2.87), "fcc": ("Cu", 3.61), "hcp": ("Ti", 2.95)}
DUMBBELL = {"bcc": (1, 1, 0), "fcc": (1, 0, 0), "hcp": (0, 0, 1)}


@dataclass(frozen=True)
class Known:
    """A structure, and where its defects are: shape (n_defects, 3), Å."""

    atoms: Atoms
    kind: str
    centres: np.ndarray


def structure_of(atoms: Atoms) -> Structure:
    """Atoms as a scheme takes them."""
    return Structure(
        atoms.numbers.astype(np.int64),
        atoms.positions,
        atoms.cell.array,
        atoms.pbc,
        atoms.info.get("config_type"),
    )


def cell_of(lattice: str, n: int) -> Atoms:
    """n × n × n conventional cells; of hcp an orthogonal one, n × n × n as well."""
    symbol, constant = LATTICES[lattice]
    if lattice == "hcp":
        return bulk(symbol, "hcp", a=constant, orthorhombic=n % 2 == 1) * n
    return bulk(symbol, lattice, a=constant, cubic=True) * n


def with_defect(
    lattice: str, n: int, defect: str, rattle: float, seed: int, config_type: str | None = None
) -> Known:
    """A crystal with one kind of defect, its atoms shuffled, displaced and moved as a whole."""
    random = np.random.default_rng(seed)
    atoms = cell_of(lattice, n)
    site = int(random.integers(len(atoms)))
    centres, kind = _insert(lattice, atoms, site, defect, random)
    shift = random.uniform(0, 5, 3)
    atoms.positions += random.normal(scale=rattle, size=(len(atoms), 3)) + shift
    order = random.permutation(len(atoms))
    atoms = atoms[order]
    if seed % 2:
        atoms.wrap()
    atoms.info["config_type"] = config_type or {"vacancy": "vac", "interstitial": "sia"}.get(
        kind, "bulk"
    )
    return Known(atoms, kind, np.reshape(centres, (-1, 3)) + shift)


def _insert(
    lattice: str, atoms: Atoms, site: int, defect: str, random: np.random.Generator
) -> tuple[list[np.ndarray], str]:
    place = atoms.positions[site].copy()
    if defect == "none":
        return [], "none"
    if defect == "vacancy":
        del atoms[site]
        return [place], "vacancy"
    if defect == "two-vacancies":
        distances = atoms.get_distances(site, range(len(atoms)), mic=True)
        other = int(np.argsort(distances)[random.integers(1, len(atoms))])
        centres = [place, atoms.positions[other].copy()]
        del atoms[[site, other]]
        return centres, "vacancy"
    symbol = atoms.symbols[site]
    if defect == "split":
        half = 0.33 * LATTICES[lattice][1] * np.array(DUMBBELL[lattice], float)
        half *= 0.9 / max(np.linalg.norm(half), 0.9)
        atoms.positions[site] = place - half
        atoms.append(symbol)
        atoms.positions[-1] = place + half
        return [place], "interstitial"
    assert defect == "octahedral"
    centre = octahedral_position(lattice, atoms, site)
    atoms.append(symbol)
    atoms.positions[-1] = centre
    return [centre], "interstitial"


def octahedral_position(lattice: str, atoms: Atoms, site: int) -> np.ndarray:
    """The middle of an octahedron of atoms that `site` is a corner of."""
    place, constant = atoms.positions[site], LATTICES[lattice][1]
    if lattice == "bcc":
        return place + np.array([constant / 2, 0, 0])
    if lattice == "fcc":
        return place + np.array([constant / 2, 0, 0])
    # In hcp: over the middle of three neighbours in the plane that has no atom above or below.
    height = LATTICES["hcp"][1] * np.sqrt(8 / 3) / 4
    vectors = []
    for angle in np.radians([30, 90, 150, 210, 270, 330]):
        flat = constant / np.sqrt(3) * np.array([np.cos(angle), np.sin(angle), 0])
        vectors.append(flat + np.array([0, 0, height]))
    found = []
    for vector in vectors:
        distances = find_mic(atoms.positions - (place + vector), atoms.cell, atoms.pbc)[1]
        found.append(distances.min())
    return place + vectors[int(np.argmax(found))]


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
