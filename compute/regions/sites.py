"""The scheme `sites`: defects are sites of a lattice that are empty, shared or wrongly held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from compute.regions.lattice import Lattice
from compute.regions.minimum_image import MinimumImage
from compute.regions.occupation import find_defects
from compute.regions.radii import Radii, nearest, three_regions, two_regions
from compute.regions.structure import NoRegionsError, Regions, Structure

VERSION = "1"
SHELL_FACTOR = 1.2  # the first two shells of bcc, the first of fcc and hcp


def find_sites(
    structure: Structure, radii: Radii, lattice_of: Callable[[Structure], Lattice]
) -> Regions:
    """The regions of a crystal.

    Parameters
    ----------
    lattice_of
        Gives the lattice a structure should have, or raises `NoRegionsError`.

    Raises
    ------
    NoRegionsError
        It has no lattice, or is not on it.
    InvalidInputError
        Its cell spans no volume.
    """
    if not structure.pbc.all():
        raise NoRegionsError("no lattice: it is not periodic along all three directions")
    defects = find_defects(structure, lattice_of(structure))
    lattice, n_atoms = defects.lattice, len(structure)
    first_shell = SHELL_FACTOR * lattice.spacing
    counted = Counter(defects.kinds)
    details = {
        "lattice": lattice.name,
        "spacing": lattice.spacing,
        "first_shell_radius": first_shell,
        "n_sites": len(lattice.sites),
        "displacement": defects.displacement,
        "n_vacancies": counted["vacancy"],
        "n_interstitials": counted["interstitial"],
        "n_antisites": counted["antisite"],
    }
    if not defects.kinds:
        two, three = np.full(n_atoms, 2, np.int8), np.full(n_atoms, 3, np.int8)
        return Regions(two, three, None, defects.centres, "none", (), details)
    images = MinimumImage(structure.cell, structure.pbc)
    distance = np.full(n_atoms, np.inf)
    core = np.zeros(n_atoms, bool)
    for centre in defects.centres:
        from_this = images.lengths(structure.positions - centre)
        distance = np.minimum(distance, from_this)
        core |= nearest(from_this, radii.core_atoms)
    return Regions(
        two_regions(distance, first_shell, radii),
        three_regions(distance, core, radii.model_cutoff),
        distance,
        defects.centres,
        defects.kind,
        defects.kinds,
        details,
    )
