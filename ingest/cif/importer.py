"""Crystallographic information files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ingest.cif.block import CifError, CifSyntaxError
from ingest.cif.cutter import CifPiece, cut, decoded
from ingest.cif.frames import CifFrame, batches_of, frame_of
from ingest.cif.gemmi_blocks import read_blocks
from ingest.cif.sites import has_sites
from ingest.frames.file_block import FileBlock, whole_file
from ingest.frames.frames import EXCERPT_LENGTH, FrameBatch, Reject


class CifImporter:
    """Reads CIF of the core dictionary, one frame for every data block with atom sites.

    A frame is the whole unit cell, periodic along every vector. The first cell vector lies along x
    and the second in the xy plane. Symmetry is expanded, from the operations listed or else from
    the space group, into 0 <= f < 1, and an atom on a special position is there once. In P 1
    fractional coordinates stay as they are in the file.

    An atom carries the ``label`` of its site, and its ``type_symbol`` where any is more than the
    element. Deuterium is hydrogen with ``masses``, as in ASE. Where a site is not fully occupied,
    every atom has an ``occupancy``; species that share a site become one atom, of the largest
    occupancy (the last listed of equal ones), and the info key ``occupancy`` holds symbol and
    occupancy of them all, by the number in ``spacegroup_kinds``, as in ASE. An occupancy not given
    is 1.

    The info keys are ``data_block``, its name; ``spacegroup`` and ``spacegroup_number``, those of
    the operations; and every tag outside loops in lower case, e.g. ``_chemical_formula_sum``, a
    number where the file has one without quotes or uncertainty, else text. Left out are the cell,
    values that are ``?`` or ``.``, texts above 4096 characters, and all loops but those of atom
    sites and symmetry, and of the sites whatever is not named here.
    """

    format = "cif"
    parses_in_threads = False  # most of the time goes into Python

    def blocks(self, stream: BinaryIO, name: str = "") -> Iterator[FileBlock]:
        """The whole file as one block, unless it is empty."""
        return whole_file(stream, name)

    def read(self, block: FileBlock) -> tuple[list[FrameBatch], list[Reject]]:
        """Read every structure of the file; data blocks without atom sites are passed over.

        Raises
        ------
        ValueError
            The block travelled without its data.
        """
        if block.data is None:
            raise ValueError("the block has no data; give it some by with_data")
        frames: list[CifFrame] = []
        rejects: list[Reject] = []
        text = decoded(block.data)
        for piece in cut(text):
            try:
                structures = [found for found in read_blocks(*piece) if has_sites(found)]
            except CifSyntaxError as error:
                reason = f"is no CIF: {error}"
                rejects.append(_reject(len(frames) + len(rejects), error.line, reason, piece))
                continue
            for structure in structures:
                index = len(frames) + len(rejects)
                try:
                    frames.append(frame_of(structure, index))
                except CifError as error:
                    reason = f"data block {structure.name}: {error}"
                    rejects.append(_reject(index, structure.line, reason, piece))
        if not frames and not rejects:
            reason = "has no data block with atom sites"
            rejects.append(Reject(0, 1, reason, text[:EXCERPT_LENGTH]))
        return batches_of(frames), rejects


def _reject(index: int, line: int, reason: str, piece: CifPiece) -> Reject:
    return Reject(index, line, reason, piece.text[:EXCERPT_LENGTH])
