"""Which columns of equivariant features are invariant under rotation and inversion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Irrep = tuple[int, int, int]  # how many, l, and parity: 1 or -1


@dataclass(frozen=True)
class LatentLayer:
    """Scalars of one layer: runs of columns, from and to, among the features of the layer."""

    irreps: str
    width: int
    columns: tuple[tuple[int, int], ...]

    @property
    def n_features(self) -> int:
        """Number of scalars."""
        return sum(stop - start for start, stop in self.columns)


def scalars_of(irreps: Iterable[Irrep], name: str) -> LatentLayer:
    """The scalars of even parity, ``0e``, among irreps in the order of their columns.

    >>> scalars_of([(128, 0, 1), (128, 1, -1)], "128x0e+128x1o")
    LatentLayer(irreps='128x0e+128x1o', width=512, columns=((0, 128),))
    """
    columns = []
    start = 0
    for multiplicity, degree, parity in irreps:
        stop = start + multiplicity * (2 * degree + 1)
        if degree == 0 and parity == 1 and multiplicity > 0:
            columns.append((start, stop))
        start = stop
    return LatentLayer(name, start, tuple(columns))
