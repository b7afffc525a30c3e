"""What gemmi knows of CIF: its grammar, its numbers, space groups and cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.cif.block import CifBlock, CifError, CifSyntaxError

if TYPE_CHECKING:
    import gemmi

_PLACE = re.compile(r"string:(?P<line>\d+)(?::\d+\(\d+\)| in [^:]*)?:? *(?P<message>.*)", re.DOTALL)
# ICSD marks the first of two origins with S and the second with Z.
_ORIGINS = {" S": ":1", " Z": ":2"}
_ANGLES_OFF = 1e-2  # degrees, and relative lengths: cells are rounded


@dataclass(frozen=True, eq=False)
class Operations:
    """Symmetry operations on fractional coordinates, the identity first, and their space group.

    Attributes
    ----------
    rotations
        Shape (k, 3, 3).
    translations
        Shape (k, 3), fractions of the cell vectors.
    symbol
        Hermann-Mauguin symbol, None where the operations are those of no tabulated setting.
    number
        Number of the space group, 1 to 230, None as before.
    """

    rotations: NDArray[np.float64]
    translations: NDArray[np.float64]
    symbol: str | None
    number: int | None


def read_blocks(text: str, line: int) -> list[CifBlock]:
    """Data blocks of a text that begins in line `line` of its file.

    Raises
    ------
    CifSyntaxError
        It is no CIF, or a tag stands twice in a block.
    """
    from gemmi import cif

    try:
        document = cif.read_string(text)
    except (ValueError, RuntimeError) as error:
        found = _PLACE.fullmatch(str(error))
        at = int(found["line"]) if found else 1
        raise CifSyntaxError(found["message"] if found else str(error), line + at - 1) from None
    blocks = []
    for block in document:
        values: dict[str, str] = {}
        columns: dict[str, list[str]] = {}
        for item in block:
            if isinstance(item.pair, tuple):
                tag, value = item.pair
                values[tag.lower()] = value
            elif item.loop is not None:
                loop, cells = item.loop, item.loop.values
                width = loop.width()
                columns |= {tag.lower(): cells[i::width] for i, tag in enumerate(loop.tags)}
        blocks.append(CifBlock(block.name, line, values, columns))
    return blocks


def numbers(values: Sequence[str]) -> NDArray[np.float64]:
    """Values as numbers, without what stands in parentheses; nan for what is none.

    Examples
    --------
    >>> numbers(["1.234(5)", "?", "-.5"])
    array([ 1.234,    nan, -0.5  ])
    """
    from gemmi import cif

    return np.array([cif.as_number(value) for value in values], dtype=np.float64)


def cell_vectors(parameters: Sequence[float]) -> NDArray[np.float64]:
    """Cell vectors as rows, the first along x and the second in the xy plane. Shape (3, 3), Å.

    Parameters
    ----------
    parameters
        Three lengths in Å and three angles in degrees.
    """
    import gemmi

    vectors = np.array(gemmi.UnitCell(*parameters).orth.mat.tolist()).T
    return np.ascontiguousarray(vectors) + 0.0  # gemmi has -0.0 at right angles


def operations_listed(triplets: Sequence[str]) -> Operations:
    """Operations given one by one, e.g. ``-x+1/2,y,-z``.

    Raises
    ------
    CifError
        One cannot be read, or together they are no group.
    """
    import gemmi

    operations: dict[gemmi.Op, None] = {}
    for triplet in triplets:
        try:
            operations[gemmi.Op(triplet).wrap()] = None
        except RuntimeError as error:
            raise CifError(f"cannot read the symmetry operation {triplet}: {error}") from None
    identity = gemmi.Op("x,y,z")
    group = gemmi.GroupOps(list(operations))
    group.add_missing_elements()
    if identity not in operations or len(group) != len(operations):
        raise CifError(
            f"lists {len(operations)} symmetry operations that are no group: some are missing or "
            "wrong. Give them all"
        )
    ordered = [identity, *(operation for operation in operations if operation != identity)]
    return _operations(ordered, gemmi.find_spacegroup_by_ops(group))


def operations_of_hall(symbol: str) -> Operations | None:
    """Operations of a Hall symbol; None for one that cannot be read."""
    import gemmi

    try:
        group = gemmi.symops_from_hall(symbol)
    except RuntimeError:
        return None
    return _operations(list(group), gemmi.find_spacegroup_by_ops(group))


def operations_of_group(name: str | int, parameters: Sequence[float]) -> Operations:
    """Operations of a space group by Hermann-Mauguin symbol or number.

    Raises
    ------
    CifError
        There is none, its origin may be one of two, or the cell is none of it.
    """
    import gemmi

    if isinstance(name, int):
        group = gemmi.find_spacegroup_by_number(name)
    else:
        origin = _ORIGINS.get(name[-2:].upper())
        name = name if origin is None else name[:-2] + origin
        group = gemmi.find_spacegroup_by_name(name, parameters[3], parameters[5])
    if group is None:
        raise CifError(f"has no symmetry operations, and its space group {name} is not known")
    if group.ext in ("1", "2") and ":" not in str(name):
        raise CifError(
            f"has no symmetry operations, and its space group {name} has two origins. Add the "
            f"operations, or write {group.hm}:1 or {group.hm}:2"
        )
    if not gemmi.UnitCell(*parameters).is_compatible_with_spacegroup(group, _ANGLES_OFF):
        raise CifError(
            f"has no symmetry operations, and its cell is none of the space group {group.xhm()}"
        )
    return _operations(list(group.operations()), group)


def _operations(operations: Sequence[gemmi.Op], group: gemmi.SpaceGroup | None) -> Operations:
    denominator = operations[0].DEN
    return Operations(
        np.array([operation.rot for operation in operations]) / denominator,
        np.array([operation.tran for operation in operations]) / denominator,
        None if group is None else group.hm,
        None if group is None else group.number,
    )
