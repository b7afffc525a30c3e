"""Chemical symbols and atomic numbers, whole columns at a time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

SYMBOLS: list[str] = """
X H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br
Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er
Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md
No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
""".split()  # noqa: SIM905 - a list of 119 would fill two screens
N_ELEMENTS = len(SYMBOLS) - 1

# Looked up by the two letters of a symbol, 0 where there is no such element.
_BY_LETTERS = np.zeros(128 * 128, dtype=np.int16)
for _number, _symbol in enumerate(SYMBOLS[1:], start=1):
    _first, _second = (*_symbol.encode(), 0)[:2]
    _BY_LETTERS[_first * 128 + _second] = _number


def numbers_of(symbols: NDArray[np.str_]) -> NDArray[np.int16]:
    """Atomic numbers of symbols; 0 for what is no symbol of an element.

    Parameters
    ----------
    symbols
        Shape (n,).
    """
    width = symbols.dtype.itemsize // 4
    letters = np.ascontiguousarray(symbols).view(np.uint32).reshape(len(symbols), width)
    first = letters[:, 0]
    second = letters[:, 1] if width > 1 else np.zeros_like(first)
    is_symbol = (first < 128) & (second < 128)
    if width > 2:
        is_symbol &= letters[:, 2] == 0
    return np.where(is_symbol, _BY_LETTERS[(first * 128 + second) * is_symbol], 0).astype(np.int16)


def hill_formula(counts: Mapping[str, int]) -> str:
    """Chemical formula in Hill order: C, H, then the rest by the alphabet; without C all by it.

    Examples
    --------
    >>> hill_formula({"O": 2, "H": 8, "C": 5})
    'C5H8O2'
    """
    first = [symbol for symbol in ("C", "H") if "C" in counts and symbol in counts]
    order = first + sorted(symbol for symbol in counts if symbol not in first)
    return "".join(s if counts[s] == 1 else f"{s}{counts[s]}" for s in order)
