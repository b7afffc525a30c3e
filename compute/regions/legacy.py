"""The scheme `legacy`: the defect is where the coordination stands out.

It is kept as it was, faults included, to reproduce earlier numbers: it finds a defect in every
structure, and its distances are wrong across the periodic boundary. `sites` is the better one.
"""

from __future__ import annotations

import numpy as np

from compute.regions.minimum_image import MinimumImage
from compute.regions.pairs import Pairs, find_pairs
from compute.regions.radii import Radii, nearest, three_regions, two_regions
from compute.regions.structure import Floats, Integers, NoRegionsError, Regions, Structure

VERSION = "1 (ties go to the lower index; distances equal to 1e-10 Å are ties)"
LEAST_SHELL, MOST_SHELL = 2.5, 3.5  # Å
SHELL_FACTOR = 1.2
PERCENTILE = 5
SAME_PLACE = 1e-8  # Å
LEAST_ATOMS = 6
SHARE_OF_ATOMS = 0.05
_TIE = 10  # decimals of an Å


def find_legacy(structure: Structure, radii: Radii) -> Regions:
    """The regions of a structure.

    Raises
    ------
    NoRegionsError
        It has no two atoms at different places.
    InvalidInputError
        It is periodic along lattice vectors that span no volume.
    """
    images = MinimumImage(structure.cell, structure.pbc)
    pairs = find_pairs(structure, images, MOST_SHELL)
    first_shell = first_shell_radius(structure, images, pairs)
    is_near = pairs.distance < first_shell
    coordination = np.bincount(pairs.first[is_near], minlength=len(structure))
    mode = int(np.argmax(np.bincount(coordination)))  # the smallest of several
    is_interstitial = "sia" in (structure.config_type or "").lower()
    if is_interstitial:
        score = np.maximum(0.0, coordination - mode)
    else:
        sums = np.bincount(pairs.first[is_near], pairs.shortest[is_near], len(structure))
        score = vacancy_score(coordination, mode, sums / np.maximum(coordination, 1))
    top = highest(score, max(LEAST_ATOMS, int(SHARE_OF_ATOMS * len(structure))))
    anchor = int(top[score[top] == score[top].min()].min())
    origin = structure.positions[anchor]
    placed = origin + images.shorten(structure.positions - origin)
    centre = placed[top].mean(axis=0)
    distance = np.linalg.norm(placed - centre, axis=1)
    return Regions(
        two_regions(distance, first_shell, radii),
        three_regions(distance, nearest(distance, radii.core_atoms), radii.model_cutoff),
        distance,
        centre[np.newaxis],
        "interstitial" if is_interstitial else "vacancy",
        details={
            "first_shell_radius": first_shell,
            "coordination": mode,
            "k": len(top),
            "anchor": anchor,
        },
    )


def vacancy_score(coordination: Integers, mode: int, mean_distance: Floats) -> Floats:
    """How much each atom looks like the neighbour of a vacancy. Shape (n_atoms,).

    Parameters
    ----------
    coordination
        Number of neighbours, images by themselves. Shape (n_atoms,).
    mode
        The most frequent of these.
    mean_distance
        Of each atom to its neighbours, 0 where there are none. Shape (n_atoms,), Å.
    """
    # In a perfect shell the distances differ by noise alone, which the deviation would blow up.
    mean = np.round(mean_distance, _TIE)
    standing_out = (mean - np.median(mean)) / (mean.std() + 1e-12)
    score: Floats = np.maximum(0.0, mode - coordination) + 0.5 * standing_out
    return score


def highest(score: Floats, k: int) -> Integers:
    """Indices of the `k` atoms with the highest scores; ties go to the lower index. Shape (k,)."""
    return np.argsort(-score, kind="stable")[:k]


def first_shell_radius(structure: Structure, images: MinimumImage, pairs: Pairs) -> float:
    """1.2 times the 5th percentile of all distances, from 2.5 to 3.5 Å.

    All distances are those of the nearest images of every two atoms. Only the short ones are
    looked at: where the percentile is beyond them, the radius is 3.5 Å.

    Parameters
    ----------
    pairs
        All that are closer than 3.5 Å.

    Raises
    ------
    NoRegionsError
        It has no two atoms at different places.
    """
    n_atoms = len(structure)
    short, n_same = _short_distances(pairs)
    n_distances = n_atoms * (n_atoms - 1) // 2 - n_same
    if not n_distances:
        raise NoRegionsError("no two atoms are at different places: there is no first shell")
    place = PERCENTILE / 100 * (n_distances - 1)
    low, share = int(place), place - int(place)
    if low >= len(short) or short[low] >= MOST_SHELL / SHELL_FACTOR:
        return MOST_SHELL
    cutoff = MOST_SHELL
    # The percentile may lie between the last short distance and one further away, which counts
    # until it is so far that the radius is 3.5 Å whatever it is.
    while share and low + 1 >= len(short):
        if short[low] + share * (cutoff - short[low]) >= MOST_SHELL / SHELL_FACTOR:
            return MOST_SHELL
        cutoff *= 2
        short, _ = _short_distances(find_pairs(structure, images, cutoff))
    percentile = short[low] + (share * (short[low + 1] - short[low]) if share else 0.0)
    return float(min(max(SHELL_FACTOR * percentile, LEAST_SHELL), MOST_SHELL))


def _short_distances(pairs: Pairs) -> tuple[Floats, int]:
    """Distances of different atoms in order, each pair once; and how many are at one place."""
    once = np.flatnonzero(pairs.first < pairs.second)
    once = once[pairs.distance[once] == pairs.shortest[once]]
    n_atoms = int(pairs.second.max(initial=0)) + 1
    _, kept = np.unique(pairs.first[once] * n_atoms + pairs.second[once], return_index=True)
    distances = pairs.shortest[once[kept]]
    is_apart = distances > SAME_PLACE
    return np.sort(distances[is_apart]), int((~is_apart).sum())
