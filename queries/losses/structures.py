"""Which structures a comparison is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lake.errors import InvalidInputError
from lake.reader import Reader
from lake.rows.selection import ask_where
from queries.losses.selection import Selection
from queries.statements.session import sql_literal

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMES = ("legacy", "sites")


def choose_structures(reader: Reader, selection: Selection) -> tuple[pa.Table, str]:
    """The ids of the structures that fulfil the condition, and the statement that found them.

    Raises
    ------
    InvalidInputError
        The condition is not SQL, or no structure fulfils it, or none is asked for.
    """
    if selection.limit is not None and selection.limit < 1:
        raise InvalidInputError(
            f"limit {selection.limit} (--limit): expected a number from 1. Leave it out to compare "
            "all structures."
        )
    statement = _statement(selection)
    where = "TRUE" if selection.where is None else selection.where
    found = ask_where(reader, statement, where)
    if not found.num_rows:
        raise InvalidInputError(
            f"No structure of dataset {selection.dataset!r} fulfils {selection.where!r}. Expected "
            "at least one. See what there is: atomlake sql "
            '"SELECT config_type, count(*) FROM structures GROUP BY ALL"'
        )
    return found, statement


def check_regions(reader: Reader, selection: Selection) -> None:
    """Refuse a scheme that was never computed.

    Raises
    ------
    InvalidInputError
        The dataset has no regions of the scheme, or the scheme is unknown.
    """
    if selection.scheme not in SCHEMES:
        raise InvalidInputError(
            f"No scheme is called {selection.scheme!r}. Expected {' or '.join(SCHEMES)}."
        )
    for scheme in (selection.two_regions, selection.three_regions):
        if not reader.files("regions", dataset=selection.dataset, scheme=scheme):
            raise InvalidInputError(
                f"Dataset {selection.dataset!r} has no regions of the scheme {scheme}. They say "
                f"which atoms are near a defect. Compute them with: {regions_command(selection)}"
            )


def regions_command(selection: Selection) -> str:
    """The command that computes the regions a comparison reads."""
    return f"atomlake compute regions --dataset {selection.dataset} --scheme {selection.scheme}"


def _statement(selection: Selection) -> str:
    condition = "" if selection.where is None else f"\n    AND ({selection.where}\n)"
    return f"""\
-- The structures that fulfil the condition of the selection.
SELECT structure_id
FROM structures
LEFT JOIN (
    SELECT dataset, structure_id, label_set, energy, forces, stress, label_check
    FROM labels
    WHERE label_set = {sql_literal(selection.label_set)}
) AS labels USING (dataset, structure_id)
WHERE
    dataset = {sql_literal(selection.dataset)}{condition}
ORDER BY structure_id
"""
