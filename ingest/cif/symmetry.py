"""Symmetry operations of a data block, from whatever of its tags states them."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.cif.block import CifBlock, CifError, is_null, unquoted
from ingest.cif.gemmi_blocks import (
    Operations,
    numbers,
    operations_listed,
    operations_of_group,
    operations_of_hall,
)

_TRIPLETS = (
    "_space_group_symop_operation_xyz",
    "_space_group_symop.operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_symmetry_equiv.pos_as_xyz",
)
_HALL = (
    "_space_group_name_hall",
    "_space_group.name_hall",
    "_symmetry_space_group_name_hall",
)
_HERMANN_MAUGUIN = (
    "_space_group_name_h-m_alt",
    "_space_group.name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_full",
)
_NUMBER = (
    "_space_group_it_number",
    "_space_group.it_number",
    "_symmetry_int_tables_number",
)
_BEYOND = ("_space_group_symop_magn", "_space_group_magn", "_space_group_symop_ssg")


def find_operations(block: CifBlock, cell_parameters: Sequence[float]) -> Operations:
    """The symmetry operations of a block.

    They come from the list of them, or else the Hall symbol, the Hermann-Mauguin symbol or the
    number; where none is given there is no symmetry.

    Parameters
    ----------
    cell_parameters
        Three lengths in Å and three angles in degrees.

    Raises
    ------
    CifError
        They cannot be read, or do not say which they are.
    """
    listed = [unquoted(text) for text in block.column(*_TRIPLETS) or () if not is_null(text)]
    if listed:
        return operations_listed(listed)
    if block.has_tag(*_BEYOND):
        raise CifError(
            "has magnetic or superspace symmetry alone, which is not expanded. Write it with all "
            "atoms of a cell, in P 1"
        )
    hall = block.value(*_HALL)
    found = None if hall is None else operations_of_hall(hall)
    if found is not None:
        return found
    name = block.value(*_HERMANN_MAUGUIN)
    if name is not None:
        return operations_of_group(name, cell_parameters)
    number = block.value(*_NUMBER)
    if number is None:
        return operations_listed(["x,y,z"])
    (value,) = numbers([number])
    return operations_of_group(int(value) if value > 0 else 0, cell_parameters)
