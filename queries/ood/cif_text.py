"""A structure as CIF, with numbers that read back to a billionth of the cell, and scores."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lake.structures.elements import SYMBOLS

_CELL_NAMES = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
_NO_LETTER = re.compile(r"[^A-Za-z0-9_.+-]")


def cif_text(
    name: str,
    numbers: NDArray[np.integer[Any]],
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    columns: Mapping[str, NDArray[np.float64]],
    comments: Mapping[str, str],
) -> str:
    """One block in P1. How the cell is turned, and along what it is not periodic, is not told.

    Parameters
    ----------
    name
        Of the block.
    numbers
        Atomic numbers. Shape (n_atoms,).
    positions
        Cartesian, shape (n_atoms, 3), Å.
    cell
        Vectors row by row that span a volume. Shape (3, 3), Å.
    columns
        Further numbers per atom, shape (n_atoms,), as ``_atom_site_atomlake_<name>``.
    comments
        Facts that stand above the block.
    """
    lines = [f"# {key}: {' '.join(text.split())}" for key, text in comments.items()]
    lines += [f"data_{_NO_LETTER.sub('_', name)}"]
    sizes = (*np.linalg.norm(cell, axis=1), *_angles(cell))
    lines += [f"_cell_{key} {size:.12g}" for key, size in zip(_CELL_NAMES, sizes, strict=True)]
    lines += ["_symmetry_space_group_name_H-M 'P 1'", "_symmetry_Int_Tables_number 1"]
    lines += ["loop_", "_symmetry_equiv_pos_as_xyz", "'x, y, z'"]
    lines += ["loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"]
    lines += [f"_atom_site_atomlake_{key}" for key in columns]
    counts: Counter[str] = Counter()
    fractions = np.linalg.solve(cell.T, positions.T).T
    for i, number in enumerate(numbers.tolist()):
        symbol = SYMBOLS[number]
        counts[symbol] += 1
        places = " ".join(f"{each:.12f}" for each in fractions[i])
        scores = "".join(f" {values[i]:.8g}" for values in columns.values())
        lines.append(f"{symbol}{counts[symbol]} {symbol} {places}{scores}")
    return "\n".join(lines) + "\n"


def _angles(cell: NDArray[np.float64]) -> list[float]:
    """Between b and c, a and c, a and b, in degrees."""
    unit = cell / np.linalg.norm(cell, axis=1)[:, np.newaxis]
    cosines = [unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1]]
    return [float(each) for each in np.degrees(np.arccos(np.clip(cosines, -1, 1)))]
