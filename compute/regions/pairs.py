"""Distances between neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compute.engines.neighbours import build_graph
from compute.regions.minimum_image import MinimumImage
from compute.regions.structure import Floats, Integers, Structure


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of atoms closer than a cutoff, each image of an atom by itself, in both directions.

    Attributes
    ----------
    first, second
        Indices of atoms. Shape (n_pairs,).
    vectors
        From the first to that image of the second. Shape (n_pairs, 3), Å.
    distance
        Their lengths. Shape (n_pairs,), Å.
    shortest
        The shortest distance between the two atoms over all images; 0 for an atom and its own.
        Shape (n_pairs,), Å.
    """

    first: Integers
    second: Integers
    vectors: Floats
    distance: Floats
    shortest: Floats


def find_pairs(structure: Structure, images: MinimumImage, cutoff: float) -> Pairs:
    """The pairs within `cutoff`, in Å.

    Raises
    ------
    InvalidInputError
        The structure is periodic along lattice vectors that span no volume.
    OutOfMemoryError
        There is no room for the pairs.
    """
    graph = build_graph(
        structure.numbers, structure.positions, structure.cell, structure.pbc, cutoff
    )
    first, second = graph.edge_index
    vectors = structure.positions[second] - structure.positions[first]
    vectors += graph.shifts @ structure.cell
    distance = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    shortest = distance
    if images.shortest <= 2 * cutoff:  # else no two images of an atom are in reach
        _, pair = np.unique(first * len(structure) + second, return_inverse=True)
        least = np.full(int(pair.max(initial=-1)) + 1, np.inf)
        np.minimum.at(least, pair, distance)
        shortest = np.where(first == second, 0.0, least[pair])
    return Pairs(first, second, vectors, distance, shortest)
