"""A comparison of losses gives the same numbers to the last bit, on whatever machine."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

import lake
from benchmarks.compared_losses import DATASET, write_losses
from lake.lake import Lake
from queries.losses.comparison import compare

THREADS = (1, 2, 5)


@pytest.fixture(scope="module")
def lk(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """More rows of atoms than DuckDB gives to one thread at once."""
    lk = lake.create(str(tmp_path_factory.mktemp("threads") / "lake"))
    write_losses(lk, n_structures=150, n_atoms=100, n_epochs=2)
    return lk


def test_numbers_do_not_depend_on_the_number_of_threads(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = duckdb.connect
    answers: list[dict[str, pl.DataFrame]] = []
    for threads in THREADS:
        with monkeypatch.context() as patch:
            patch.setattr(duckdb, "connect", lambda n=threads: connect(config={"threads": n}))
            answers.append(dict(compare(lk, dataset=DATASET).tables))
    for name, first in answers[0].items():
        assert all(each[name].equals(first) for each in answers[1:]), name
