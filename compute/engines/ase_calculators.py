"""Calculators of ASE by the names of what makes them."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
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
        There is no such module, it cannot be loaded, or a class takes no such option.
    NotFoundError
        It has nothing of that name.
    JobFailedError
        The class or function raised.
    """
    make = _find(name)
    _check_options(make, name, options)
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


def _check_options(make: Callable[..., Any], name: str, options: Mapping[str, Any]) -> None:
    """Refuse options a class would take and do nothing with: most take any keyword there is.

    Those that hand all on to a program are believed, and so are functions.
    """
    from ase.calculators.calculator import FileIOCalculator
    from ase.calculators.genericfileio import GenericFileIOCalculator

    defaults = getattr(make, "default_parameters", None)
    if not isinstance(make, type) or not defaults:
        return
    if issubclass(make, FileIOCalculator | GenericFileIOCalculator):
        return
    known = {*defaults, *_keywords(make)}
    unknown = sorted(set(options) - known)
    if unknown:
        raise InvalidInputError(
            f"{name} has no option {', '.join(unknown)}; it has {', '.join(sorted(known))}. Mend "
            "its name, or leave it out. If it does take more, let a function make it, and give "
            "that as file.py:function."
        )


def _keywords(made: type) -> set[str]:
    """Names of what a class is made with, as far as it and those above it name them."""
    names: set[str] = set()
    for each in made.__mro__:
        if "__init__" not in vars(each):
            continue
        parameters = list(inspect.signature(vars(each)["__init__"]).parameters.values())[1:]
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind == p.VAR_KEYWORD for p in parameters):
            break
    return names


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
