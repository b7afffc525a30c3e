"""Sets of structures: what names one, and which structures it holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lake.errors import InvalidInputError, NotFoundError
from lake.names import check_name
from lake.reader import Reader
from lake.rows.row_index import RowIndex
from lake.rows.selection import select_places
from queries.ood.selection import StructureSet
from queries.statements.session import Session
from queries.statements.statement import read_statement

if TYPE_CHECKING:
    import polars as pl

_SET = re.compile(r"(?:([^=:]+)=)?([^=:]+)(?::(.*))?", re.DOTALL)


def parse_set(text: str) -> StructureSet:
    """A set as the command line names it: ``DATASET``, or ``NAME=DATASET[:CONDITION]``.

    Raises
    ------
    InvalidInputError
        It is none of these.

    Examples
    --------
    >>> parse_set("hot=slabs: config_type = 'md'").where
    "config_type = 'md'"
    """
    match = _SET.fullmatch(text)
    name, dataset, where = match.groups() if match is not None else (None, None, None)
    if dataset is None or (where is not None and (name is None or not where.strip())):
        raise InvalidInputError(
            f"{text!r} names no set. Expected DATASET, or NAME=DATASET, or NAME=DATASET:CONDITION "
            "with an SQL condition over structures, e.g. \"hot=slabs: config_type = 'md'\"."
        )
    return StructureSet(
        check_name("set", (name or dataset).strip()),
        check_name("dataset", dataset.strip()),
        None if where is None else where.strip(),
    )


def choose_sets(sets: Sequence[str], baseline: str | None) -> tuple[StructureSet, ...]:
    """All sets: those that structures are chosen from, and the baseline if it is none of them.

    Parameters
    ----------
    baseline
        The name of a set, or a set of its own.

    Raises
    ------
    InvalidInputError
        There is no set, or two have one name.
    """
    chosen = [parse_set(text) for text in ([sets] if isinstance(sets, str) else sets)]
    if not chosen:
        raise InvalidInputError(
            "No set is named. Expected at least one dataset to score. Give --set DATASET."
        )
    names = [each.name for each in chosen]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInputError(
                f"Two sets are called {name!r}. Expected a name for each. Give NAME=DATASET."
            )
    if baseline is not None and baseline not in names:
        own = parse_set(baseline)
        if own in chosen:
            return tuple(chosen)
        if own.name in names:
            raise InvalidInputError(
                f"The baseline {baseline!r} is called as another set is. Expected a name of its "
                "own, or only the name, to take that set. Give NAME=DATASET."
            )
        chosen.append(replace(own, is_candidate=False))
    return tuple(chosen)


def read_sets(reader: Reader, sets: Sequence[StructureSet]) -> tuple[pl.DataFrame, str]:
    """The structures of all sets, and the statement that described them.

    Returns
    -------
    set, dataset, structure_id, is_candidate, source, frame, config_type, formula, n_atoms and info,
    one row per set and structure, in the order of the sets and then of the files.

    Raises
    ------
    NotFoundError
        There is no such dataset.
    InvalidInputError
        A condition is not SQL, or a set is empty.
    """
    import polars as pl

    parts = [
        pl.DataFrame(
            {
                "place": pl.Series([place], dtype=pl.Int32),
                "set": [each.name],
                "dataset": [each.dataset],
                "is_candidate": [each.is_candidate],
            }
        ).join(pl.DataFrame({"structure_id": _ids(reader, each)}), how="cross")
        for place, each in enumerate(sets)
    ]
    with Session(reader, ("structures", "sources"), {}) as session:
        session.add_rows("set_structures", pl.concat(parts).to_arrow(), "")
        statement = read_statement("ood", "described_structures")
        return session.ask(statement), statement.text


def _ids(reader: Reader, each: StructureSet) -> pl.Series:
    import polars as pl

    files = reader.files("structures", dataset=each.dataset)
    if not files:
        known = {file.partition["dataset"] for file in reader.files("structures")}
        raise NotFoundError.among("dataset", each.dataset, known)
    index = RowIndex(reader.storage, "structures", files)
    try:
        ids = index.ids_at(select_places(reader, index, each.where))
    except InvalidInputError as error:
        reason = str(error).removeprefix("--where ")
        raise InvalidInputError(f"The set {each.name!r}: {reason}") from None
    if not len(ids):
        raise InvalidInputError(
            f"The set {each.name!r} is empty: no structure of dataset {each.dataset!r} fulfils "
            f"{each.where!r}. Expected at least one. See what there is: atomlake sql "
            '"SELECT config_type, count(*) FROM structures GROUP BY ALL"'
        )
    return pl.Series(ids, dtype=pl.Int64)
