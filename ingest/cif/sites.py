"""Atom sites of a data block, one row each, before symmetry."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.cif.block import CifBlock, CifError, is_null, unquoted
from ingest.cif.gemmi_blocks import numbers
from lake.structures.elements import SYMBOLS

DEUTERIUM = "D"

_FRACTIONAL = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
# What follows the element is an oxidation number or a name, but never more letters.
_TYPE_SYMBOL = re.compile(r"(?P<element>[A-Za-z]{1,2})(?![A-Za-z])")
_LABEL = re.compile(r"(?P<element>[A-Z][a-z]?)(?P<next>[A-Za-z]?)")
_NUMBER_OF = {symbol: number for number, symbol in enumerate(SYMBOLS) if number}
_NUMBER_OF[DEUTERIUM] = 1
_MOST_OCCUPANCY = 1.02  # rounded occupancies of one site may add up to a little over 1


@dataclass(frozen=True, eq=False)
class Sites:
    """Sites as the file lists them, with k rows.

    Attributes
    ----------
    fractional
        Shape (k, 3).
    numbers
        Atomic numbers. Shape (k,).
    occupancy
        Shape (k,), above 0 and at most 1 but for rounding.
    labels
        Names of the sites, None where the file gives none. Length k.
    elements
        Symbols of the elements, and ``D``. Length k.
    types
        Type symbols, e.g. ``Fe2+``. Length k.
    """

    fractional: NDArray[np.float64]
    numbers: NDArray[np.int16]
    occupancy: NDArray[np.float64]
    labels: list[str] | None
    elements: list[str]
    types: list[str]

    def name(self, row: int) -> str:
        """What to call a site in a message."""
        return f"site {row + 1} ({self.types[row] if self.labels is None else self.labels[row]})"


def has_sites(block: CifBlock) -> bool:
    """Whether the block has anything to say of atom sites."""
    return block.has_tag("_atom_site_", "_atom_site.")


def read_sites(block: CifBlock) -> Sites:
    """The atom sites of a block that has some.

    Raises
    ------
    CifError
        They have no fractional coordinates, no element, or an impossible occupancy.
    """
    _check_kind(block)
    k = _n_rows(block)
    fractional = np.stack([numbers(block.column(tag) or ()) for tag in _FRACTIONAL], axis=1)
    labels = _texts(block, "_atom_site_label")
    types = _texts(block, "_atom_site_type_symbol")
    elements = _elements(labels, types)
    sites = Sites(
        fractional,
        np.array([_NUMBER_OF[symbol] for symbol in elements], dtype=np.int16),
        _occupancy(block, k),
        labels,
        elements,
        elements if types is None else types,
    )
    _check_values(sites)
    return sites


def check_total(total: float, names: str) -> None:
    """Refuse a site with more than one atom in it.

    Raises
    ------
    CifError
        The occupancies add up to more than 1.
    """
    if total > _MOST_OCCUPANCY:
        raise CifError(
            f"{names}: occupancies at one place add up to {total:g}, at most 1 expected. List "
            "every site once, and one of the positions that symmetry makes equal"
        )


def _check_kind(block: CifBlock) -> None:
    if block.has_tag("_atom_site."):
        raise CifError(
            "is mmCIF (_atom_site. with a point), which holds macromolecules. Expected a CIF of "
            "the core dictionary; convert it to PDB and use 'atomlake ingest ase --format "
            "proteindatabank'"
        )
    if all(block.column(tag) is None for tag in _FRACTIONAL):
        has_cartesian = block.column("_atom_site_cartn_x") is not None
        given = "Cartesian coordinates alone" if has_cartesian else "atom sites without coordinates"
        advice = (
            ", whose axes CIF leaves open. If they are those of ASE, use 'atomlake ingest ase "
            "--format cif'"
        )
        raise CifError(
            f"has {given}; {', '.join(_FRACTIONAL)} expected{advice if has_cartesian else ''}"
        )


def _n_rows(block: CifBlock) -> int:
    lengths = {tag: len(block.column(tag) or ()) for tag in _FRACTIONAL}
    for tag in ("_atom_site_label", "_atom_site_type_symbol", "_atom_site_occupancy"):
        values = block.column(tag)
        if values is not None:
            lengths[tag] = len(values)
    if len(set(lengths.values())) > 1:
        raise CifError(f"needs one value a site under each of these tags, and has {lengths}")
    n_rows = lengths[_FRACTIONAL[0]]
    if not n_rows:
        raise CifError("its loop of atom sites has no rows")
    return n_rows


def _texts(block: CifBlock, tag: str) -> list[str] | None:
    values = block.column(tag)
    return None if values is None else [unquoted(value) for value in values]


def _elements(labels: list[str] | None, types: list[str] | None) -> list[str]:
    names, kind, element_of = labels, "label", _element_of_label
    if types is not None:
        names, kind, element_of = types, "type symbol", _element_of_type
    if names is None:
        raise CifError("has neither _atom_site_type_symbol nor _atom_site_label, so no elements")
    elements = [element_of(name) for name in names]
    for row, symbol in enumerate(elements):
        if symbol not in _NUMBER_OF:
            raise CifError(
                f"site {row + 1} has the {kind} {names[row]}, which names no element for certain. "
                "Give it a _atom_site_type_symbol"
            )
    return elements


def _element_of_type(name: str) -> str:
    found = _TYPE_SYMBOL.match(name)
    return "" if found is None else found["element"].capitalize()


def _element_of_label(name: str) -> str:
    found = _LABEL.match(name)
    if found is None:
        return ""
    element, letter = found.groups()
    is_ambiguous = letter and element + letter.lower() in _NUMBER_OF
    return "" if is_ambiguous else element  # CU1 is copper, or a carbon called U1


def _occupancy(block: CifBlock, k: int) -> NDArray[np.float64]:
    """Occupancies; 1 where none is given, as the CIF dictionary has it. Shape (k,)."""
    values = block.column("_atom_site_occupancy")
    if values is None:
        return np.ones(k)
    return numbers(["1" if is_null(value) else value for value in values])


def _check_values(sites: Sites) -> None:
    bad = ~np.isfinite(sites.fractional).all(axis=1)
    if bad.any():
        name = sites.name(int(np.argmax(bad)))
        raise CifError(
            f"{name} lacks a fractional coordinate; three numbers expected. Leave the site out of "
            "the file if it is not known where it is"
        )
    bad = ~((sites.occupancy > 0) & (sites.occupancy <= _MOST_OCCUPANCY))
    if bad.any():
        row = int(np.argmax(bad))
        raise CifError(
            f"{sites.name(row)} has the occupancy {sites.occupancy[row]:g}; above 0 and at most 1 "
            "expected"
        )
