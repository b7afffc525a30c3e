"""Keys of the frames as columns, so that scores can be cut and counted by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lake.structures.info_json import decode_info

if TYPE_CHECKING:
    import polars as pl


# What the maps of a baseline know of a structure, beside its distances.
OF_MAPS = ("is_chosen", "pca_1", "pca_2", "t_sne_1", "t_sne_2", "density_1", "density_2")


def metadata_columns(infos: Iterable[str | None], taken: Iterable[str]) -> list[pl.Series]:
    """One column per key that holds single values; lists and objects are left out.

    A key with texts beside numbers becomes text.

    Parameters
    ----------
    infos
        The column ``info`` of structures: JSON objects.
    taken
        Names that columns have already; a key of such a name, or of one that a baseline adds, is
        called ``info_<key>``.

    Examples
    --------
    >>> [(c.name, c.to_list()) for c in metadata_columns(['{"facet": "100", "a": [1]}', None], [])]
    [('facet', ['100', None])]
    """
    from queries.ood.baseline import DISTANCES

    used = {*taken, *DISTANCES, *OF_MAPS}
    frames = [{} if text is None else decode_info(text) for text in infos]
    keys = sorted({key for frame in frames for key, value in frame.items() if _is_single(value)})
    columns = []
    for key in keys:
        name = key
        while name in used:
            name = f"info_{name}"
        used.add(name)
        columns.append(_column(name, key, frames))
    return columns


def _is_single(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


def _column(name: str, key: str, frames: Sequence[Mapping[str, object]]) -> pl.Series:
    import polars as pl

    values = [value if _is_single(value := frame.get(key)) else None for frame in frames]
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        is_small = all(abs(v) < 2**63 for v in values if isinstance(v, int))
        dtype: type[pl.DataType] = pl.Int64 if is_small else pl.Float64
    elif kinds <= {int, float}:
        dtype = pl.Float64
    elif kinds == {bool}:
        dtype = pl.Boolean
    else:
        return pl.Series(name, [None if v is None else str(v) for v in values], pl.String)
    return pl.Series(name, values, dtype, strict=False)
