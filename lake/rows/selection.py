"""Structures that fulfil an SQL condition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from lake.errors import InvalidInputError
from lake.names import check_name
from lake.reader import Reader
from lake.rows.row_index import Places, RowIndex
from lake.sandbox import Sandbox

if TYPE_CHECKING:
    import pyarrow as pa

# Naming one of these in a condition joins the labels.
LABEL_COLUMNS = ("label_set", "energy", "forces", "stress", "label_check")
_QUOTED = re.compile(r"'(?:[^']|'')*'")


def select_places(
    reader: Reader, index: RowIndex, where: str | None, label_set: str | None = None
) -> Places:
    """Places of the structures that fulfil a condition, in the order of the files.

    Parameters
    ----------
    index
        Of the table structures, or of some of its datasets: others are not selected.
    where
        An SQL condition over the columns of structures and, where it names any of them, of labels
        (label_set, energy, forces, stress, label_check); None selects everything. A structure
        without labels has NULL there.
    label_set
        The labels the condition is about; any set by default.

    Raises
    ------
    InvalidInputError
        The condition is not SQL, or names what is not there.
    """
    if where is None:
        return np.arange(len(index), dtype=np.int64)
    source = "structures"
    if _names_labels(where):
        # Only what structures does not have too, so that a plain name means one column.
        labels = f"SELECT dataset, structure_id, {', '.join(LABEL_COLUMNS)} FROM labels"
        if label_set is not None:
            labels += f" WHERE label_set = '{check_name('label_set', label_set)}'"
        source += f" LEFT JOIN ({labels}) AS labels USING (dataset, structure_id)"
    # The line break ends a comment.
    query = f"SELECT dataset, structure_id FROM {source} WHERE ({where}\n)"
    found = ask_where(reader, query, where)
    places = index.locate(found["structure_id"].to_numpy(), found["dataset"])
    return np.unique(places[places >= 0])


def ask_where(reader: Reader, query: str, where: str) -> pa.Table:
    """The rows of a query that holds a user's condition.

    Raises
    ------
    InvalidInputError
        The condition is not SQL, is more than one condition, or names what is not there.
    """
    import duckdb

    try:
        with duckdb.connect() as parser:  # by itself, or it could end the brackets it stands in
            parser.extract_statements(f"SELECT 1 WHERE {where}")
        # In the sandbox, because a condition may hold any query.
        return Sandbox(reader).sql(query).to_arrow_table()
    except (duckdb.Error, InvalidInputError) as error:
        # What follows is the statement, of which only the condition is the user's.
        reason = " ".join(str(error).partition("\nLINE ")[0].split())
        raise InvalidInputError(
            f"--where {where!r}: {reason.rstrip('.')}. Expected an SQL condition over the "
            "columns of structures or labels; 'atomlake schema structures' lists them."
        ) from error


def _names_labels(where: str) -> bool:
    words = set(re.findall(r"\w+", _QUOTED.sub("", where).lower()))
    return not words.isdisjoint((*LABEL_COLUMNS, "labels"))
