"""Where the latents of structures lie, for every member of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Places:
    """Where the latents of structures lie, in the order in which they are read.

    Attributes
    ----------
    structure_ids, n_atoms
        Shape (n_structures,).
    stores
        Paths of arrays.
    store, offset
        Number of the array in `stores`, and the first row in it. Shape (n_members, n_structures).
    n_features
        Width of the latents.
    """

    structure_ids: Rows
    n_atoms: Rows
    stores: tuple[str, ...]
    store: Rows
    offset: Rows
    n_features: int

    @classmethod
    def from_pointers(cls, pointers: pl.DataFrame, model_ids: tuple[int, ...]) -> Places:
        """The places of structures that every member has latents of.

        Parameters
        ----------
        pointers
            ``structure_id``, ``model_id``, ``store``, ``offset``, ``n_atoms``, ``n_features``.
        model_ids
            The members. The latents of the first are read in the order in which they lie.
        """
        stores = pointers["store"].unique().sort()
        numbers = dict(zip(stores, range(len(stores)), strict=True))
        first = pointers.filter(model_id=model_ids[0]).sort("store", "offset")
        order = first.select("structure_id")
        places = [
            order.join(
                pointers.filter(model_id=model_id),
                on="structure_id",
                how="left",
                maintain_order="left",
            ).select(_number("store", numbers), "offset")
            for model_id in model_ids
        ]
        return cls(
            order["structure_id"].to_numpy(),
            first["n_atoms"].cast(int).to_numpy(),
            tuple(stores),
            np.stack([each["store"].to_numpy() for each in places]),
            np.stack([each["offset"].to_numpy() for each in places]),
            int(first["n_features"][0]),
        )


def _number(column: str, numbers: dict[str, int]) -> pl.Expr:
    """The number that stands for each text of a column."""
    import polars as pl

    return pl.col(column).replace_strict(numbers, return_dtype=pl.Int64)
