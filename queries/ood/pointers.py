"""Where the latents of the members lie, as rows of the lake say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lake.reader import Reader
from queries.ood.selection import Member
from queries.statements.session import Session
from queries.statements.statement import read_statement

if TYPE_CHECKING:
    import polars as pl


def read_pointers(
    reader: Reader, structures: pl.DataFrame, members: Sequence[Member], layer: str
) -> tuple[pl.DataFrame, dict[str, str]]:
    """The pointers of all members to a layer of some structures, and the SQL that gave them.

    Parameters
    ----------
    structures
        ``dataset`` and ``structure_id``, each structure once.
    """
    parameters = {"layer": layer, "model_ids": [member.model_id for member in members]}
    with Session(reader, ("embeddings",), parameters) as session:
        add_wanted(session, structures)
        found = session.ask(read_statement("ood", "latent_pointers"))
    return found, session.statements


def add_wanted(session: Session, structures: pl.DataFrame) -> None:
    """Make the relation of structures that statements ask about."""
    rows = structures.select("dataset", "structure_id").to_arrow()
    session.add_rows("wanted_structures", rows, "-- The structures of all sets, each once.")
