"""Strain from names: they give percent or a fraction, and the lake keeps percent and the text."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any

KEY = "strain"
TEXT_KEY = "strain_text"
_FORTRAN_EXPONENT = str.maketrans("dD", "ee")


def strain_keys(text: str | None) -> dict[str, Any]:
    """The strain in percent, and how the name writes it.

    A number below 1 in size is a fraction, unless a percent sign follows; any other is percent.
    What is no number stays as it is.

    Examples
    --------
    >>> strain_keys("-0.015")
    {'strain': -1.5, 'strain_text': '-0.015'}
    >>> strain_keys("+2")
    {'strain': 2, 'strain_text': '+2'}
    """
    return {KEY: None if text is None else _percent(text), TEXT_KEY: text}


def _percent(text: str) -> int | float | str:
    """One form for one strain: 2 is ``+2``, ``2.0`` and ``0.02``."""
    bare = text.removesuffix("%")
    try:
        number = Decimal(bare.translate(_FORTRAN_EXPONENT))  # in binary, 0.07 is not 7 %
    except InvalidOperation:
        return text
    if not math.isfinite(float(number)):
        return text
    is_fraction = bare == text and abs(number) < 1
    value = float(100 * number if is_fraction else number)
    return int(value) if value.is_integer() else value
