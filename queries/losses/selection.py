"""What a comparison of losses is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """The structures, the reference, the models and the regions of a comparison.

    Attributes
    ----------
    dataset, label_set
        Where the structures are, and which reference forces count.
    where
        SQL condition over structures; None takes all of the dataset.
    limit
        The first so many in file order, after `where`; None takes all.
    scheme
        Family of region schemes, ``"legacy"`` or ``"sites"``: both ``<scheme>-2`` (defect, bulk)
        and ``<scheme>-3`` (core, shell, bulk) are read.
    models, losses
        Patterns of model names (``mace-*``) and names of losses (the models' group); empty takes
        every model that has predictions.
    seeds
        Seeds of the models; empty takes all.
    is_partial_allowed
        Whether structures that a model has not predicted are left out instead of refused.
    """

    dataset: str
    label_set: str = "dft"
    where: str | None = None
    limit: int | None = None
    scheme: str = "legacy"
    models: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    is_partial_allowed: bool = False

    @property
    def two_regions(self) -> str:
        """Scheme that tells defect from bulk."""
        return f"{self.scheme}-2"

    @property
    def three_regions(self) -> str:
        """Scheme that tells core, shell and bulk apart."""
        return f"{self.scheme}-3"
