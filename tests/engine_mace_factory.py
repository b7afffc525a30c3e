"""A calculator file as a user might write one: MACE through its own calculator."""

from __future__ import annotations

from typing import Any


def make(path: str) -> Any:
    from compute.engines.mace_model import import_mace

    import_mace()
    from mace.calculators import MACECalculator

    return MACECalculator(model_paths=path, device="cpu", default_dtype="float64")
