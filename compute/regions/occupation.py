"""Which site of a lattice each atom is on: empty sites, shared sites, wrong elements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compute.regions.lattice import Lattice, nearest_sites
from compute.regions.structure import Floats, NoRegionsError, Structure

_MOST_DEFECTS = 0.25  # of the sites
_HOST = 0.5  # an atom is the host of its site if it is so many times nearer than the next


@dataclass(frozen=True, eq=False)
class Defects:
    """What is wrong with a crystal.

    Attributes
    ----------
    lattice
        The sites.
    centres
        Shape (n_defects, 3), Å.
    kinds
        vacancy, interstitial or antisite.
    displacement
        Root of the mean square distance of atoms that have a site to themselves from it, in Å.
    """

    lattice: Lattice
    centres: Floats
    kinds: tuple[str, ...]
    displacement: float

    @property
    def kind(self) -> str:
        """none, the kind of all defects, or complex."""
        kinds = set(self.kinds)
        return "none" if not kinds else kinds.pop() if len(kinds) == 1 else "complex"


def find_defects(structure: Structure, lattice: Lattice) -> Defects:
    """Every atom belongs to the site it is nearest to, as in a Wigner-Seitz analysis.

    A site without atom is a vacancy, one with several an interstitial, and one with an atom of an
    element it is not meant for an antisite.

    Raises
    ------
    NoRegionsError
        More than a quarter of the sites are defects: the atoms are not on this lattice.
    """
    sites, offsets = nearest_sites(structure.positions, lattice.sites, structure.cell)
    occupancy = np.bincount(sites, minlength=len(lattice.sites))
    alone = occupancy[sites] == 1
    meant = lattice.site_numbers[sites]
    is_wrong = alone & (meant != 0) & (structure.numbers != meant)
    empty, shared = np.flatnonzero(occupancy == 0), np.flatnonzero(occupancy > 1)
    n_wrong = len(empty) + int((occupancy[shared] - 1).sum())
    if n_wrong > _MOST_DEFECTS * len(occupancy):
        raise NoRegionsError(
            f"not on the lattice: {len(empty)} of {len(occupancy)} sites of {lattice.name} are "
            f"empty and {len(shared)} hold several atoms"
        )
    centres = [
        lattice.sites[empty],
        *(_interstitial(lattice.sites[site], offsets[sites == site]) for site in shared.tolist()),
        lattice.sites[sites[is_wrong]],
    ]
    kinds = ("vacancy",) * len(empty) + ("interstitial",) * len(shared)
    kinds += ("antisite",) * int(is_wrong.sum())
    squares = np.einsum("ij,ij->i", offsets[alone], offsets[alone])
    return Defects(
        lattice,
        np.concatenate([np.reshape(each, (-1, 3)) for each in centres]),
        kinds,
        float(np.sqrt(squares.mean())) if alone.any() else 0.0,
    )


def _interstitial(site: Floats, offsets: Floats) -> Floats:
    """The middle of the atoms that share a site, or of all but its host. Shape (3,), Å.

    An atom that sits much closer to the site than the others is its host: they are beside it. Else
    they are split over the site.
    """
    distance = np.linalg.norm(offsets, axis=1)
    order = np.argsort(distance, kind="stable")
    has_host = distance[order[0]] < _HOST * distance[order[1]]
    centre: Floats = site + offsets[order[1:] if has_host else order].mean(axis=0)
    return centre
