"""A lake: one versioned place for structures, labels, predictions, latents and training curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lake.errors import InvalidInputError, NotFoundError
from lake.log.freshness import is_newest
from lake.log.state import State, newest_state, read_state
from lake.log.transaction import Changes, Operation, commit
from lake.reader import Reader
from lake.storage.storage import Storage

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    import pyarrow as pa
    from ase import Atoms

    from lake.checks.checking import Problem
    from lake.names import FileNames
    from lake.summaries.summary import Info
    from lake.training.torch_dataset import LakeDataset


class Lake:
    """A lake, at its newest version or at a past one.

    Made by `lake.open`, `lake.create` and `Lake.at`. A lake that was not opened at a version
    follows what others commit: every call reads the newest version there is when it begins.
    """

    def __init__(self, storage: Storage, version: int | None = None) -> None:
        self.storage = storage
        self._pinned = version
        self._reader: Reader | None = None

    def __repr__(self) -> str:
        return f"<lake {self.storage.uri} at version {self.version}>"

    @property
    def version(self) -> int:
        """Version of the lake that is read: the number of operations committed until then."""
        return self.reader.state.version

    @property
    def reader(self) -> Reader:
        """The version that is read now, with its files."""
        last = self._reader
        if self._pinned is not None:
            if last is None:
                last = Reader(self.storage, read_state(self.storage, self._pinned))
        elif last is None or not is_newest(self.storage, last.state.version):
            state = newest_state(self.storage)
            if last is None or last.state.version != state.version:
                last = Reader(self.storage, state)
        self._reader = last
        return last

    def at(self, version: int | str) -> Lake:
        """The lake as it was at a version or a tag.

        Raises
        ------
        NotFoundError
            There is no such version or tag.
        """
        from lake.versions.tags import tagged_version

        newest = newest_state(self.storage)
        number = (
            tagged_version(Reader(self.storage, newest), version)
            if isinstance(version, str)
            else version
        )
        if not 0 <= number <= newest.version:
            raise NotFoundError(
                f"{self.storage.uri} has no version {number}. It has versions 0 to "
                f"{newest.version}; 'atomlake log' lists them."
            )
        return Lake(self.storage, number)

    def sql(self, query: str, params: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyRelation:
        """A DuckDB relation over the lake's tables, with ``.pl()``, ``.df()`` and ``.show()``.

        Parameters
        ----------
        query
            One SQL statement.
        params
            Values of its ``$named`` parameters.
        """
        return self.reader.sql(query, params)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A new DuckDB connection with a view per table, and the long views."""
        return self.reader.connect()

    def scan(self, table: str, **partition: str | None) -> pl.LazyFrame:
        """A table as a Polars LazyFrame; ``dataset="cu"`` and the like cut it to a partition."""
        return self.reader.scan(table, **partition)

    def atoms(
        self,
        structure_id: int | Sequence[int],
        *,
        dataset: str | None = None,
        label_set: str | None = None,
    ) -> Atoms | list[Atoms]:
        """One structure as ase.Atoms with its labels as a calculator, or a list for a list of ids.

        See `lake.structures.atoms.read_atoms`.
        """
        from lake.structures.atoms import read_atoms

        return read_atoms(self.reader, structure_id, dataset=dataset, label_set=label_set)

    def iter_atoms(
        self, where: str | None = None, *, label_set: str | None = None, batch_size: int = 256
    ) -> Iterator[list[Atoms]]:
        """Lists of at most `batch_size` ase.Atoms, for the structures that fulfil an SQL condition.

        See `lake.structures.atoms.iter_atoms`.
        """
        from lake.structures.atoms import iter_atoms

        return iter_atoms(self.reader, where, label_set=label_set, batch_size=batch_size)

    def torch_dataset(self, where: str | None = None, **options: Any) -> LakeDataset:
        """A torch dataset that streams structures from the lake, shuffled by a seed.

        See `lake.training.torch_dataset.LakeDataset` for the options.
        """
        from lake.training.torch_dataset import LakeDataset

        return LakeDataset(self.storage.uri, self.storage.options, self.version, where, **options)

    def latents(
        self, *, dataset: str, model: str, layer: str = "last", batch_rows: int = 65_536
    ) -> Iterator[pa.RecordBatch]:
        """Arrow batches of structure_id, atom, latent. See `lake.latents.latent_reader`."""
        from lake.latents.latent_reader import read_latents

        return read_latents(
            self.reader, dataset=dataset, model=model, layer=layer, batch_rows=batch_rows
        )

    def info(self) -> Info:
        """What the lake holds: datasets, structures, atoms, elements, labels, models, sizes."""
        from lake.summaries.summary import summarize

        return summarize(self.reader)

    def log(self) -> pl.DataFrame:
        """One row per commit, newest first."""
        from lake.versions.history import log

        return log(self.reader)

    def diff(self, old: int | str, new: int | str) -> pl.DataFrame:
        """Rows and files added and removed between two versions, per table and partition."""
        from lake.versions.history import diff

        return diff(self.at(old).reader, self.at(new).reader)

    def tag(self, name: str, version: int | None = None, message: str | None = None) -> int:
        """Give a name to a version, the newest by default; that version."""
        from lake.versions.tags import add_tag

        return add_tag(self, name, version, message)

    def tags(self) -> pl.DataFrame:
        """The names given to versions."""
        from lake.versions.tags import list_tags

        return list_tags(self.reader)

    def check(self, *, deep: bool = True) -> list[Problem]:
        """What is wrong with the lake; empty when nothing is. `deep` reads every data file."""
        from lake.checks.checking import check

        return check(self.reader, deep=deep)

    def notes(self) -> list[Problem]:
        """What is untidy in the lake and does no harm, such as leftovers of crashed writers."""
        from lake.checks.checking import notes

        return notes(self.reader)

    def optimize(self, tables: Sequence[str] | None = None) -> pl.DataFrame:
        """Compact small files and sort them, as a new version; what was done per partition."""
        from lake.upkeep.compaction import optimize

        return optimize(self, tables)

    def vacuum(
        self, *, dry_run: bool = True, keep_days: float = 7.0, keep_versions: str = "all"
    ) -> pl.DataFrame:
        """Files no version needs, and which of them were deleted. See `lake.upkeep.vacuum`."""
        from lake.upkeep.vacuum import vacuum

        return vacuum(self, dry_run=dry_run, keep_days=keep_days, keep_versions=keep_versions)

    def drop(
        self,
        *,
        dataset: str,
        label_set: str | None = None,
        model: str | None = None,
        scheme: str | None = None,
        scores: str | None = None,
    ) -> pl.DataFrame:
        """Take out a dataset, or labels, a model's results, regions or scores, as a new version."""
        from lake.upkeep.drop import drop

        return drop(
            self, dataset=dataset, label_set=label_set, model=model, scheme=scheme, scores=scores
        )

    def export_duckdb(self, path: str) -> None:
        """Write a DuckDB file of views over this version, for any DuckDB client."""
        from lake.exports.export import export_duckdb

        export_duckdb(self.reader, path)

    def export_extxyz(
        self,
        path: str,
        where: str | None = None,
        *,
        label_set: str | None = None,
        label_prefix: str = "",
    ) -> int:
        """Write structures and labels as extxyz, nothing lost; how many. ``-``: standard output."""
        from lake.exports.export import export_extxyz

        return export_extxyz(
            self.reader, path, where, label_set=label_set, label_prefix=label_prefix
        )

    def export_parquet(self, folder: str, tables: Sequence[str] | None = None) -> pl.DataFrame:
        """Write tables as plain Parquet files, partition columns included; rows per table."""
        from lake.exports.export import export_parquet

        return export_parquet(self.reader, folder, tables)

    def ingest(self, importer: str, files: FileNames, *, dataset: str, **options: Any) -> Any:
        """Read files into the lake, as ``atomlake ingest`` does. See `ingest.api.ingest`."""
        # The layers point one way: ingest knows lake, so it is named here and not imported.
        module = import_module("ingest.api")
        return module.ingest(self, importer, files, dataset=dataset, **options)

    def ingest_predictions(self, files: FileNames, *, model: str, **options: Any) -> Any:
        """Take predictions made elsewhere, as ``atomlake ingest predictions`` does.

        See `ingest.predictions.api.ingest_predictions`.
        """
        module = import_module("ingest.predictions.api")
        return module.ingest_predictions(self, files, model=model, **options)

    def query(self, question: str, **options: Any) -> Any:
        """Answer a question that has a name: tables, with the SQL and the lake version behind them.

        The questions and their options are those of ``atomlake query``; see `queries.api.ask`.
        """
        module = import_module("queries.api")
        return module.ask(self, question, **options)

    def commit(
        self,
        operation: str,
        plan: Callable[[State], Changes | None],
        *,
        arguments: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        operation_id: str | None = None,
    ) -> int | None:
        """Commit one operation; the version that holds it, or None when nothing was to be done.

        `plan` is asked for the changes on top of a version of the lake, again when another writer
        has made them wrong: see `lake.log.transaction`.
        """
        if self._pinned is not None:
            raise InvalidInputError(
                f"{self.storage.uri} was opened at version {self._pinned}, and the past does not "
                "change. Open the lake without a version to write."
            )
        named = {"operation_id": operation_id} if operation_id is not None else {}
        what = Operation(operation, arguments or {}, inputs or {}, **named)
        state = commit(self.storage, what, plan)
        return None if state is None else state.version
