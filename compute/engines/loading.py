"""Engines by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from compute.engines.engine import Engine
from lake.errors import InvalidInputError, NotFoundError

# The distributions each engine needs, in the order they are missed.
NEEDS = {
    "mace": ("torch", "mace-torch", "vesin"),
    "nequip": ("torch", "nequip", "vesin"),
    "allegro": ("torch", "nequip", "nequip-allegro", "vesin"),
    "ase": (),
}
EXTRAS = {"mace": "mace", "nequip": "nequip", "allegro": "nequip"}


def load_engine(
    engine: str, path: str, *, device: str, dtype: str | None, options: Mapping[str, Any]
) -> Engine:
    """Load a model onto a device. Loading runs code of the file.

    Parameters
    ----------
    engine
        ``mace``, ``nequip``, ``allegro`` or ``ase``.
    path
        The model file; for ``ase``, ``package.module:Class`` or ``file.py:function``.
    device
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    dtype
        ``float32`` or ``float64``; None for that of the weights.

    Raises
    ------
    NotFoundError
        No such engine.
    InvalidInputError
        A package is not installed, the file is missing, damaged or for another engine, or there is
        no such device, dtype or option.
    JobFailedError
        A calculator could not be made.
    """
    if engine not in NEEDS:
        raise NotFoundError.among("engine", engine, NEEDS)
    _check_installed(engine)
    if engine != "ase" and not Path(path).is_file():
        raise InvalidInputError(
            f"{path}: no such file. A model of the engine {engine} is expected. "
            "Mend the path, or bring the file back."
        )
    return _maker(engine)(path, device, dtype, options)


def _check_installed(engine: str) -> None:
    missing = [name for name in NEEDS[engine] if not _is_installed(name)]
    if missing:
        raise InvalidInputError(
            f"The engine {engine} needs {', '.join(missing)}, not installed in this environment. "
            f"Install atomlake[{EXTRAS[engine]}] here, or run the model in an environment that has "
            "it (atomlake env list)."
        )


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _maker(engine: str) -> Callable[[str, str, str | None, Mapping[str, Any]], Engine]:
    """What makes the engine; its module brings the heavy packages along."""
    if engine == "mace":
        from compute.engines.mace_engine import MaceEngine

        return MaceEngine
    if engine == "ase":
        from compute.engines.ase_engine import AseEngine

        return AseEngine
    from functools import partial

    from compute.engines.nequip_engine import NequipEngine

    return partial(NequipEngine, engine)
