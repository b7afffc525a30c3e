"""Whether a model has what is wanted of it."""

from __future__ import annotations

from compute.engines.engine import ModelFacts, Wanted
from lake.errors import InvalidInputError


def check_wanted(wanted: Wanted, facts: ModelFacts) -> None:
    """Check the layers against those of the model.

    Raises
    ------
    InvalidInputError
        The model has no such layer.
    """
    n_layers = len(facts.layers)
    missing = [layer for layer in wanted.layers if not 0 <= layer < n_layers]
    if missing:
        there = f"layers 0 to {n_layers - 1}" if n_layers else "no latents that could be read"
        raise InvalidInputError(
            f"Latents of layer {missing[0]} are wanted, but the model has {there}. "
            "Choose a layer it has, or none."
        )
