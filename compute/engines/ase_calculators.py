"""Calculators of ASE by the names of what makes them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from compute.engines.foreign_errors import FOREIGN_ERRORS, described
from lake.errors import InvalidInputError, JobFailedError, NotFoundError

EXPECTED = "package.module:Class or file.py:function expected, e.g. ase.calculators.emt:EMT"


def make_calculator(name: str, options: Mapping[str, Any]) -> Any:
    """The calculator that a class or function makes of the options.

    Parameters
    ----------
    name
        ``package.module:Class`` or ``file.py:function``.
    options
        Keyword arguments.

    Raises
    ------
    InvalidInputError
        There is no such module, or it cannot be loaded.
    NotFoundError
        It has nothing of that name.
    JobFailedError
        The class or function raised.
    """
    make = _find(name)
    try:
        calculator = make(**options)
    except FOREIGN_ERRORS as error:
        raise JobFailedError(
            f"{name} made no calculator of the options {dict(options)}: {described(error)}. "
            "Mend the options, or what it needs in this environment."
        ) from None
    if not hasattr(calculator, "get_potential_energy"):
        raise InvalidInputError(
            f"{name} made a {type(calculator).__name__}, which is no calculator of ASE: it has no "
            f"get_potential_energy. {EXPECTED}."
        )
    return calculator


def _find(name: str) -> Callable[..., Any]:
    source, colon, attribute = name.rpartition(":")
    if not colon or not source or not attribute:
        raise InvalidInputError(f"Calculator {name!r}: {EXPECTED}.")
    module = _load(source)
    if not hasattr(module, attribute):
        public = [known for known in vars(module) if not known.startswith("_")]
        raise NotFoundError.among(f"class or function of {source}", attribute, public)
    make: Callable[..., Any] = getattr(module, attribute)
    if not callable(make):
        raise InvalidInputError(f"{name} is a {type(make).__name__}; {EXPECTED}.")
    return make


def _load(source: str) -> ModuleType:
    try:
        return _load_file(Path(source)) if source.endswith(".py") else _import(source)
    except FOREIGN_ERRORS as error:
        raise InvalidInputError(
            f"{source} cannot be loaded: {described(error)}. {EXPECTED}. Mend the name, or install "
            "what it needs in the model's environment."
        ) from None


def _import(source: str) -> ModuleType:
    return importlib.import_module(source)


def _load_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"atomlake_calculator_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
