"""The unit cell of a data block."""

from __future__ import annotations

import numpy as np

from ingest.cif.block import CifBlock, CifError
from ingest.cif.gemmi_blocks import numbers

_TAGS = (
    "_cell_length_a",
    "_cell_length_b",
    "_cell_length_c",
    "_cell_angle_alpha",
    "_cell_angle_beta",
    "_cell_angle_gamma",
)


def cell_parameters(block: CifBlock) -> list[float]:
    """Three lengths in Å and three angles in degrees.

    Raises
    ------
    CifError
        One is missing or no number, or they span no cell.
    """
    parameters = []
    for tag in _TAGS:
        text = block.value(tag)
        (value,) = numbers(["?" if text is None else text])
        if not (value > 0 and np.isfinite(value)):
            given = "is missing" if text is None else f"is {text}"
            raise CifError(f"{tag} {given}; a structure needs a cell, six numbers above 0")
        parameters.append(float(value))
    cosines = np.cos(np.radians(parameters[3:]))
    volume = 1 - cosines @ cosines + 2 * np.prod(cosines)
    if not (volume > 0 and max(parameters[3:]) < 180):
        raise CifError(f"its cell angles {parameters[3:]} span no volume")
    return parameters
