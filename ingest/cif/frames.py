"""Data blocks of CIF files as frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.cif.block import CifBlock, is_null, unquoted
from ingest.cif.cell import cell_parameters
from ingest.cif.gemmi_blocks import Operations, cell_vectors
from ingest.cif.orbits import Expansion, expand
from ingest.cif.sites import DEUTERIUM, Sites, read_sites
from ingest.cif.symmetry import find_operations
from ingest.frames.frames import FrameBatch, Info
from ingest.frames.text_values import number
from lake.structures.elements import SYMBOLS

DEUTERIUM_MASS = 2.01355  # atomic mass units, as ASE has it
_LONGEST_TEXT = 4096  # characters; longer ones are files of a refinement program put in whole


@dataclass(frozen=True, eq=False)
class CifFrame:
    """One structure. ``index`` counts from 0 in its file; positions and cell are in Å."""

    index: int
    line: int
    cell: NDArray[np.float64]
    numbers: NDArray[np.int16]
    positions: NDArray[np.float64]
    arrays: dict[str, NDArray[Any]]
    info: Info


def frame_of(block: CifBlock, index: int) -> CifFrame:
    """The structure of a block that has atom sites.

    Raises
    ------
    CifError
        It does not say where which atoms are.
    """
    sites = read_sites(block)
    parameters = cell_parameters(block)
    operations = find_operations(block, parameters)
    cell = cell_vectors(parameters)
    atoms = expand(sites, operations, cell)
    info = _info(block, operations)
    if (sites.occupancy != 1).any():
        info["occupancy"] = {str(row): species for row, species in atoms.species.items()}
    return CifFrame(
        index,
        block.line,
        cell,
        sites.numbers[atoms.atom],
        atoms.fractional @ cell,
        _arrays(sites, atoms),
        info,
    )


def batches_of(frames: Sequence[CifFrame]) -> list[FrameBatch]:
    """Frames as batches, each of those with the same arrays."""
    groups: dict[tuple[str, ...], list[CifFrame]] = {}
    for frame in frames:
        groups.setdefault(tuple(frame.arrays), []).append(frame)
    return [_batch(group) for group in groups.values()]


def _batch(frames: list[CifFrame]) -> FrameBatch:
    return FrameBatch(
        frame=np.array([frame.index for frame in frames], dtype=np.int64),
        line=np.array([frame.line for frame in frames], dtype=np.int64),
        n_atoms=np.array([len(frame.numbers) for frame in frames], dtype=np.int64),
        cell=np.stack([frame.cell for frame in frames]),
        pbc=np.ones((len(frames), 3), dtype=np.bool_),
        numbers=np.concatenate([frame.numbers for frame in frames]),
        positions=np.concatenate([frame.positions for frame in frames]),
        arrays={
            name: np.concatenate([frame.arrays[name] for frame in frames])
            for name in frames[0].arrays
        },
        info=[frame.info for frame in frames],
    )


def _arrays(sites: Sites, atoms: Expansion) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    if sites.labels is not None:
        arrays["label"] = np.array(sites.labels, dtype=object)[atoms.atom]
    if (sites.occupancy != 1).any():
        arrays["occupancy"] = atoms.occupancy
        arrays["spacegroup_kinds"] = atoms.place
    if sites.types != [SYMBOLS[number] for number in sites.numbers]:
        arrays["type_symbol"] = np.array(sites.types, dtype=object)[atoms.atom]
    if DEUTERIUM in sites.elements:
        arrays["masses"] = _masses(sites)[atoms.atom]
    return arrays


def _masses(sites: Sites) -> NDArray[np.float64]:
    from ase.data import atomic_masses

    masses: NDArray[np.float64] = atomic_masses[sites.numbers]
    masses[np.array(sites.elements) == DEUTERIUM] = DEUTERIUM_MASS
    return masses


def _info(block: CifBlock, operations: Operations) -> Info:
    info: Info = {
        tag: _plain(value)
        for tag, value in block.values.items()
        if not is_null(value)
        and len(value) <= _LONGEST_TEXT
        and not tag.startswith(("_cell_length_", "_cell_angle_", "_atom_site_"))
    }
    info["data_block"] = block.name
    if operations.symbol is not None:
        info["spacegroup"] = operations.symbol
        info["spacegroup_number"] = operations.number
    return info


def _plain(value: str) -> Any:
    """A value as a number where it is written as one without quotes; else its text."""
    text = unquoted(value)
    found = number(text) if text == value else None
    return text if found is None else found
