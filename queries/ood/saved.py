"""Scores that are kept in the lake, so that SQL joins them and others are set beside them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lake.errors import ConflictError, InvalidInputError, NotFoundError
from lake.lake import Lake
from lake.log.data_files import DataFile, write_data_file
from lake.log.state import State
from lake.log.transaction import Changes
from lake.names import check_name
from lake.reader import Reader
from queries.ood.result import SCORES, OodScores
from schemas import TABLES

if TYPE_CHECKING:
    import polars as pl

TABLE = TABLES["ood_scores"]
ORIGIN = ("model_ids", "layer", "definition")  # what scores of one name share
AGAINST = (
    "latent_variance_trace",
    "latent_variance_mean",
    "energy_disagreement",
    "force_disagreement",
)


@dataclass(frozen=True)
class Saved:
    """What saving did: rows added, rows that were there, and the version of the lake."""

    n_added: int
    n_there: int
    version: int


def save_scores(lake: Lake, result: OodScores, name: str) -> Saved:
    """Keep the scores of every structure of a result, each once.

    What is there under the name stays, so the same can be run again, and more sets can be added.

    Raises
    ------
    InvalidInputError
        The name cannot be one, or scores of other members or latents have it.
    ConflictError
        The structures were dropped meanwhile, or the lake was opened at a version.
    """
    plan = _Saving(lake, result, check_name("table of scores", name))
    arguments = {
        "name": name,
        "members": [member.model for member in result.selection.members],
        "layer": result.selection.layer,
        "from_version": result.lake_version,
    }
    lake.commit("query ood", plan, arguments=arguments, operation_id=plan.operation_id)
    return Saved(plan.n_added, len(plan.rows) - plan.n_added, lake.version)


def check_saved(reader: Reader, names: Sequence[str]) -> None:
    """Refuse names that nothing was saved under.

    Raises
    ------
    NotFoundError
        There is such a name.
    """
    known = {file.partition["saved_as"] for file in reader.files("ood_scores")}
    for name in names:
        if name not in known:
            raise NotFoundError.among("table of scores", name, known)


def read_saved(reader: Reader, names: Sequence[str], scores: pl.DataFrame) -> pl.DataFrame:
    """Scores saved under some names, of the structures in `scores`; see ``against`` of a result.

    Raises
    ------
    NotFoundError
        Nothing was saved under a name.
    """
    import polars as pl

    check_saved(reader, names)
    columns = (pl.col("saved_as").alias("name"), "ensemble", "dataset", "structure_id", *AGAINST)
    wanted = scores.select("dataset", "structure_id").unique()
    parts = [reader.scan("ood_scores").select(columns).limit(0).collect()]
    for name in names:
        rows = reader.scan("ood_scores", saved_as=name).select(columns).collect()
        parts.append(rows.join(wanted, on=["dataset", "structure_id"], how="semi"))
    return pl.concat(parts).sort("name", "dataset", "structure_id")


class _Saving:
    """The changes on top of a version of the lake, called again when others were there first."""

    def __init__(self, lake: Lake, result: OodScores, name: str) -> None:
        self.operation_id = uuid.uuid4().hex
        self.rows = _rows(result)
        self.n_added = 0
        self._storage = lake.storage
        self._name = name

    def __call__(self, state: State) -> Changes:
        import polars as pl

        reader = Reader(self._storage, state)
        files: list[DataFile] = []
        self.n_added = 0
        for (dataset,), part in self.rows.group_by("dataset", maintain_order=True):
            there = reader.scan("ood_scores", dataset=str(dataset), saved_as=self._name)
            stored = there.select("structure_id", *ORIGIN).collect()
            self._check_origin(stored)
            self._check_structures(reader, str(dataset), part)
            new = part.filter(~pl.col("structure_id").is_in(stored["structure_id"].implode()))
            if len(new):
                partition = {"dataset": str(dataset), "saved_as": self._name}
                file_name = f"{self.operation_id}-{uuid.uuid4().hex[:8]}"
                files.append(
                    write_data_file(self._storage, TABLE, partition, file_name, new.to_arrow())
                )
                self.n_added += len(new)
        return Changes(added={"ood_scores": files}, still_valid=self._still_valid)

    def _check_origin(self, stored: pl.DataFrame) -> None:
        own = self.rows.select(ORIGIN).row(0)
        for other in stored.select(ORIGIN).unique().iter_rows():
            if other != own:
                raise InvalidInputError(
                    f"Scores called {self._name!r} are in the lake that were made from other "
                    f"members or latents: layer {other[1]}, model_ids {other[0]}. Expected the "
                    "same for all of one name. Save under another name, or take those out: "
                    f"atomlake drop scores DATASET {self._name}"
                )

    def _check_structures(self, reader: Reader, dataset: str, part: pl.DataFrame) -> None:
        ids = reader.scan("structures", dataset=dataset).select("structure_id").collect()
        gone = part.join(ids, on="structure_id", how="anti")
        if len(gone):
            raise ConflictError(
                f"{len(gone):,} structures of {dataset} were dropped while they were scored. "
                "Nothing was saved. Run the same again."
            )

    def _still_valid(self, planned_on: State, now: State) -> bool:
        return all(
            planned_on.table(name) == now.table(name) for name in ("structures", "ood_scores")
        )


def _rows(result: OodScores) -> pl.DataFrame:
    """Rows of the table, each structure once; not the partition column saved_as."""
    import polars as pl

    selection = result.selection
    rows = result.scores.unique(["dataset", "structure_id"], keep="first", maintain_order=True)
    members, ids = [m.model for m in selection.members], [m.model_id for m in selection.members]
    return rows.select(
        "dataset",
        "structure_id",
        "n_atoms",
        *SCORES,
        ensemble=pl.lit(selection.ensemble),
        members=pl.lit(pl.Series([members])).first(),
        model_ids=pl.lit(pl.Series([ids])).first(),
        layer=pl.lit(selection.layer),
        definition=pl.lit(selection.definition, pl.String),
        n_features=pl.lit(selection.n_features, pl.Int32),
        lake_version=pl.lit(result.lake_version, pl.Int64),
    )
