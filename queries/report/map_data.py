"""The data of an interactive map, in the form chemiscope reads: structures and their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from lake.reader import Reader
from lake.structures.elements import SYMBOLS
from queries.ood.result import IDENTITY, OodScores

if TYPE_CHECKING:
    from queries.ood.baseline.scoring import BaselineScores

# A page of a few megabytes: a position is some twenty letters.
MOST_STRUCTURES = 2_000
MOST_ATOMS = 100_000
MOST_BONDED = 200  # atoms: of more, sticks between neighbours hide all that is behind
DIGITS = 2  # of positions, in Å: to look at, not to compute with
FLOAT_DIGITS = 6
PLACES = {
    "pca_1": "component 1",
    "pca_2": "component 2",
    "t_sne_1": "t-SNE 1",
    "t_sne_2": "t-SNE 2",
}
UNITS = {"energy_disagreement": "eV/atom", "force_disagreement": "eV/Å"}
WITHOUT = ("is_candidate", "is_baseline")
# Words say what a structure is when it is clicked on. As symbols and colours chemiscope takes no
# more than this many, so other columns of more are left out.
NAMES = ("structure_id", "source")
MOST_WORDS = 20


@dataclass(frozen=True)
class MapData:
    """What a map shows.

    Attributes
    ----------
    dataset
        As chemiscope reads it.
    n_shown, n_known
        Structures on the map, and all there are.
    n_chosen_left_out
        Chosen structures there was no room for.
    """

    dataset: dict[str, Any]
    n_shown: int
    n_known: int
    n_chosen_left_out: int

    @property
    def note(self) -> str:
        """What is on the map, in words."""
        if self.n_shown == self.n_known:
            return f"All {self.n_known:,} structures."
        left_out = f", all but {self.n_chosen_left_out:,}" if self.n_chosen_left_out else ""
        return (
            f"{self.n_shown:,} of {self.n_known:,} structures: the chosen{left_out} by rank, and "
            f"others drawn at random, up to {MOST_STRUCTURES:,} structures or {MOST_ATOMS:,} "
            "atoms, to keep the page small."
        )


def map_data(result: OodScores, measured: BaselineScores, reader: Reader) -> MapData:
    """The structures that have room on a map, with their places, scores and metadata.

    Parameters
    ----------
    result
        With the distances of `measured` joined.
    reader
        The version of the lake the answer came from.
    """
    places = measured.map.select("dataset", "structure_id", "is_chosen", *PLACES)
    rows = result.scores.unique(
        ["dataset", "structure_id"], keep="first", maintain_order=True
    ).join(places, on=["dataset", "structure_id"], maintain_order="left")
    shown = _with_room(rows, measured.baseline.settings.seed)
    n_chosen = int(rows["is_chosen"].sum())
    dataset = {
        "meta": {"name": "Latent map"},
        "structures": _structures(shown, reader),
        "properties": _properties(shown),
        "settings": _settings(result, shown),
    }
    return MapData(dataset, len(shown), len(rows), n_chosen - int(shown["is_chosen"].sum()))


def _with_room(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The chosen by rank, then others in random order, as far as there is room; in file order."""
    order = np.random.default_rng(seed).permutation(len(rows))
    # By themselves: among all columns, keys of the user may have any name.
    drawn = rows.select("is_chosen", "rank", pl.col("n_atoms").cast(pl.Int64)).with_columns(
        pl.Series("drawn", order), first=pl.when("is_chosen").then("rank")
    )
    in_order = drawn.with_row_index("row").sort("first", "drawn", nulls_last=True)
    has_room = pl.col("n_atoms").cum_sum() <= MOST_ATOMS
    first = in_order.with_columns(has_room=has_room).head(MOST_STRUCTURES).filter("has_room")
    return rows[first["row"].sort()]


def _structures(shown: pl.DataFrame, reader: Reader) -> list[dict[str, Any]]:
    columns = ["dataset", "structure_id", "numbers", "positions", "cell"]
    found = (
        reader.scan("structures")
        .filter(
            pl.col("dataset").is_in(shown["dataset"].unique().to_list()),
            pl.col("structure_id").is_in(shown["structure_id"].to_list()),
        )
        .select(columns)
        .collect()
    )
    joined = shown.select("dataset", "structure_id").join(
        found, on=["dataset", "structure_id"], maintain_order="left"
    )
    return [_structure(row) for row in joined.iter_rows(named=True)]


def _structure(row: dict[str, Any]) -> dict[str, Any]:
    structure: dict[str, Any] = {
        "size": len(row["numbers"]),
        "names": [SYMBOLS[number] for number in row["numbers"]],
        **{axis: np.round(row["positions"][axis], DIGITS).tolist() for axis in "xyz"},
    }
    if any(row["cell"]):
        structure["cell"] = row["cell"]
    return structure


def _properties(shown: pl.DataFrame) -> dict[str, Any]:
    """Numbers and words of every structure; words that are not known become none."""
    properties = {}
    for name in shown.columns:
        if name in WITHOUT or shown[name].dtype.is_nested():
            continue
        column = shown[name]
        is_word = not column.dtype.is_numeric() and name not in NAMES
        if is_word and column.n_unique() > MOST_WORDS:
            continue
        if name in IDENTITY or name == "is_chosen" or not column.dtype.is_numeric():
            values: list[Any] = _words(name, column)
        elif column.null_count() == len(column):
            continue
        else:
            values = [_number(value) for value in column.to_list()]
        described: dict[str, Any] = {"target": "structure", "values": values}
        if name in UNITS:
            described["units"] = UNITS[name]
        properties[_plain(PLACES.get(name, name))] = described
    return properties


def _words(name: str, column: pl.Series) -> list[str]:
    if name == "is_chosen":
        return ["chosen" if value else "not chosen" for value in column]
    return [_plain(value) for value in column.cast(pl.String).fill_null("none")]


def _plain(text: str) -> str:
    """Text that is no markup: names come from users, and the viewer writes them into the page."""
    return text.replace("<", "‹").replace(">", "›")


def _number(value: float | None) -> float | None:
    """A number short enough for a page; what is not known is null, which is no point."""
    if value is None or not np.isfinite(value):
        return None
    return float(f"{value:.{FLOAT_DIGITS}g}")


def _settings(result: OodScores, shown: pl.DataFrame) -> dict[str, Any]:
    """The map at first: places, the score by colour, the chosen by symbol."""
    largest = max(shown["n_atoms"].to_list(), default=0)
    return {
        "map": {
            "x": {"property": PLACES["pca_1"]},
            "y": {"property": PLACES["pca_2"]},
            "color": {"property": _plain(result.score)},
            "symbol": "is_chosen",
            "palette": "viridis",
        },
        "structure": [{"unitCell": True, "bonds": largest <= MOST_BONDED}],
        "pinned": [_first(shown)],
    }


def _first(shown: pl.DataFrame) -> int:
    """The place of the structure that the page begins with: that of the best rank."""
    ranked = shown.select("rank").with_row_index("place").sort("rank", nulls_last=True)
    return int(ranked["place"][0]) if len(ranked) else 0
