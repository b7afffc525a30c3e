"""From distances to labels, the same for every scheme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compute.regions.structure import Floats

_TIE = 10  # decimals of an Å to which distances are compared, so that noise decides nothing


@dataclass(frozen=True)
class Radii:
    """Where regions end.

    ``defect`` and ``bulk`` are multiples of the first-shell radius; ``core_atoms`` a number of
    atoms; ``model_cutoff`` what a model sees at most, in Å: beyond it an atom cannot feel the
    defect.
    """

    defect: float = 1.2
    bulk: float = 3.0
    core_atoms: int = 8
    model_cutoff: float = 5.0


def two_regions(distance: Floats, first_shell: float, radii: Radii) -> NDArray[np.int8]:
    """Codes of `TWO`: defect where near, bulk where far, else none. Shape (n_atoms,).

    Parameters
    ----------
    distance
        From every atom to the nearest defect. Shape (n_atoms,), Å.
    first_shell
        Å.
    """
    codes = np.zeros(len(distance), np.int8)
    codes[distance < radii.defect * first_shell] = 1
    codes[distance > radii.bulk * first_shell] = 2
    return codes


def three_regions(
    distance: Floats, core: NDArray[np.bool_], model_cutoff: float
) -> NDArray[np.int8]:
    """Codes of `THREE`: core where said, else shell or bulk; in open cells core and bulk.

    Parameters
    ----------
    distance
        From every atom to the nearest defect. Shape (n_atoms,), Å.
    core
        Whether each atom is of the core. Shape (n_atoms,).
    model_cutoff
        Å.
    """
    is_bulk = distance > model_cutoff
    return np.select([core & is_bulk, core, is_bulk], [4, 1, 3], 2).astype(np.int8)


def nearest(distance: Floats, n: int) -> NDArray[np.bool_]:
    """Whether each atom is one of the `n` nearest; ties go to the lower index. Shape (n_atoms,)."""
    found = np.zeros(len(distance), bool)
    found[np.argsort(np.round(distance, _TIE), kind="stable")[:n]] = True
    return found
