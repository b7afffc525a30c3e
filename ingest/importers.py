"""Importers by the name of their format."""

from __future__ import annotations

from ingest.importer import Importer


def find_importer(name: str) -> Importer:
    """The importer for a format: ``extxyz``, ``cif``, or any other name ASE knows.

    Raises
    ------
    NotFoundError
        ASE knows no such format.
    """
    if name == "extxyz":
        from ingest.extxyz import ExtxyzImporter

        return ExtxyzImporter()
    from ingest.ase_importer import AseImporter

    return AseImporter(name)
