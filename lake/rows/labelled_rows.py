"""Structures together with the labels of one set, row by row."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from lake.errors import InvalidInputError, NotFoundError
from lake.reader import Reader
from lake.rows.row_index import Places
from lake.rows.row_reader import CACHE_BYTES, RowReader

LABELS = ("energy", "forces", "stress")


class LabelledRows:
    """Random access to structures with their labels. See `RowReader`, which it pickles as.

    Parameters
    ----------
    reader
        The version of the lake.
    label_set
        Whose labels; None for no labels. See `choose_label_set`.
    columns
        Columns of structures to read, all by default.
    labels
        Which of energy, forces and stress to read.
    cache_bytes
        Room for decoded row groups, in bytes, for structures and labels each.
    """

    def __init__(
        self,
        reader: Reader,
        label_set: str | None,
        *,
        columns: Sequence[str] | None = None,
        labels: Sequence[str] = LABELS,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        if columns is not None:
            columns = list(dict.fromkeys(["dataset", "structure_id", *columns]))
        self.structures = RowReader(reader, "structures", columns=columns, cache_bytes=cache_bytes)
        self.labels = None
        if label_set is not None:
            self.labels = RowReader(
                reader,
                "labels",
                columns=labels,
                cache_bytes=cache_bytes,
                label_set=label_set,
            )

    def take(self, places: Places) -> tuple[pa.Table, pa.Table | None]:
        """The structures at these places and their labels; NULLs where one has no labels."""
        structures = self.structures.take(places)
        if self.labels is None:
            return structures, None
        ids = structures["structure_id"].to_numpy()
        at = self.labels.index.locate(ids, structures["dataset"])
        return structures, self.labels.take(at)

    def fetch(
        self, ids: Sequence[int], dataset: str | None = None
    ) -> tuple[pa.Table, pa.Table | None]:
        """These structures, in the order asked, and their labels.

        Without a dataset each comes from the first that has it, and its labels from the first
        that has labels for it.

        Raises
        ------
        NotFoundError
            There is no such structure.
        """
        datasets = None if dataset is None else pa.chunked_array([[dataset] * len(ids)])
        structures = self.structures.fetch(ids, datasets)
        if self.labels is None:
            return structures, None
        return structures, self.labels.take(self.labels.index.locate(ids, datasets))


def choose_label_set(
    reader: Reader, label_set: str | None, dataset: str | None = None
) -> str | None:
    """The label set to read: the one named, or the only one there is; None where there is none.

    Raises
    ------
    NotFoundError
        There is no label set, or no dataset, of that name.
    InvalidInputError
        None is named and there are several.
    """
    if dataset is not None:
        datasets = {file.partition["dataset"] for file in reader.files("structures")}
        if dataset not in datasets:
            raise NotFoundError.among("dataset", dataset, datasets)
    files = reader.files("labels", dataset=dataset)
    known = sorted({file.partition["label_set"] for file in files})
    if label_set is not None:
        if label_set not in known:
            raise NotFoundError.among("label set", label_set, known)
        return label_set
    if len(known) > 1:
        raise InvalidInputError(
            f"{f'Dataset {dataset!r}' if dataset else 'The lake'} has {len(known)} label sets: "
            f"{', '.join(known)}. Expected one to be named. Give label_set (--label-set)."
        )
    return known[0] if known else None
