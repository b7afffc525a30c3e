"""Importers by the name of their format."""

from __future__ import annotations

from ingest.frames.importer import Importer


def find_importer(name: str) -> Importer:
    """The importer for a format: ``extxyz``, ``cif``, or any other name ASE knows.

    ``ase-cif`` reads CIF through ASE.

    Raises
    ------
    NotFoundError
        ASE knows no such format.
    """
    if name == "extxyz":
        from ingest.extxyz.importer import ExtxyzImporter

        return ExtxyzImporter()
    if name == "cif":
        from ingest.cif.importer import CifImporter

        return CifImporter()
    from ingest.ase_formats.importer import ASE_CIF, AseImporter

    return AseImporter("cif" if name == ASE_CIF else name)
