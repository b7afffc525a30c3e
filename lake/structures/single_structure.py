"""One structure with its labels, read without what Arrow takes for every call."""

from __future__ import annotations

from typing import Any

import numpy as np

from lake.rows.labelled_rows import LabelledRows
from lake.rows.row_views import RowViews
from lake.structures.atom_arrays import Arrays, decode_arrays
from lake.structures.info_json import decode_info

Values = dict[str, Any]


def read_parts(
    rows: LabelledRows, identity: int, dataset: str | None
) -> tuple[Values, Values, Arrays, Values]:
    """Arguments of ase.Atoms, info, other per-atom arrays, and the labels that are known.

    Labels have ASE's names: energy (eV), forces (eV/Å, shape (n_atoms, 3)), stress (eV/Å³, Voigt
    order, shape (6,)). Nothing refers to the row group.

    Raises
    ------
    NotFoundError
        There is no such structure.
    """
    views, row = rows.structures.fetch_one(identity, dataset)
    geometry = {
        "numbers": views.entries("numbers", row).astype(np.int64),
        "positions": views.vectors("positions", row),
        "cell": views.entries("cell", row).reshape(3, 3).copy(),
        "pbc": views.entries("pbc", row).copy(),
    }
    column = views.filled("arrays", row)
    found = None if rows.labels is None else rows.labels.find_one(identity, dataset)
    return (
        geometry,
        frame_info(views.plain("config_type", row), views.plain("info", row)),
        {} if column is None else decode_arrays(column)[0],
        {} if found is None else _known(*found),
    )


def frame_info(config_type: str | None, text: str | None) -> Values:
    """What a frame says of itself: its JSON, and its config_type where it has one."""
    info = decode_info(text or "{}")
    return info if config_type is None else {"config_type": config_type, **info}


def _known(views: RowViews, row: int) -> Values:
    results = {
        "energy": views.plain("energy", row),
        "forces": views.vectors("forces", row),
        "stress": views.tensor("stress", row),
    }
    return {name: value for name, value in results.items() if value is not None}
