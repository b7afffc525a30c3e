"""The SQL of an answer, run by hand: plain DuckDB over the lake's files, latents by plain zarr."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import zarr
from click.testing import CliRunner
from deltalake import DeltaTable
from ood_reference_lake import N_FEATURES, make_known, make_lake

from lake.cli import root

TABLES = ("structures", "sources", "embeddings", "predictions")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake, and the answer that was written from it."""
    folder = tmp_path_factory.mktemp("by-hand")
    lk = make_lake(folder, make_known(n_train=40, n_new=20, n_shared=5, seed=8))
    words = ["--lake", lk.storage.uri, "query", "ood", "--set", "new", "--group", "T1"]
    words += ["--baseline", "train", "--by-element", "--by-atom", "--format", "parquet"]
    words += ["--no-figures", "--no-distances", "-o", str(folder / "out")]
    done = CliRunner().invoke(root, words, env={"ATOMLAKE": None})
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def scores(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "out" / "scores.parquet")


@pytest.fixture(scope="module")
def statements(folder: Path) -> dict[str, str]:
    """The statements of the file, by name, with the values that are said put in."""
    text = (folder / "out" / "statements.sql").read_text()
    parts = re.split(r"(?m)^-- (\w+)\n", text)
    found = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        values = dict(re.findall(r"(?m)^-- \$(\w+) = (.*)$", body))
        code = "\n".join(line for line in body.splitlines() if not line.startswith("--"))
        found[name] = re.sub(r"\$(\w+)", lambda match, own=values: own[match[1]], code)
    return found


@pytest.fixture(scope="module")
def plain(folder: Path, scores: pl.DataFrame) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables that statements read, as views over the files of the lake, and the sets."""
    with duckdb.connect() as connection:
        for table in TABLES:
            files = DeltaTable(str(folder / "lake" / table)).file_uris()
            rows = connection.read_parquet(files, hive_partitioning=True)
            rows.create_view(table)
        sets = scores.select(
            "set", "dataset", "structure_id", "is_candidate", place=pl.col("is_baseline").cast(int)
        )
        connection.register("set_structures", sets.to_arrow())
        wanted = scores.select("dataset", "structure_id").unique()
        connection.register("wanted_structures", wanted.to_arrow())
        yield connection


@pytest.fixture(scope="module")
def atoms(
    folder: Path, plain: duckdb.DuckDBPyConnection, statements: dict[str, str]
) -> pl.DataFrame:
    """What the statement on latents gives, a block per structure."""
    pointers = plain.sql(statements["latent_pointers"]).pl()
    numbers = {
        (dataset, i): each
        for dataset, i, each in plain.sql(
            "SELECT dataset, structure_id, numbers FROM structures"
        ).fetchall()
    }
    parts = []
    for (dataset, i), rows in pointers.group_by("dataset", "structure_id"):
        members = []
        for store, offset, n_atoms in rows.select("store", "offset", "n_atoms").rows():
            array = zarr.open_array(str(folder / "lake" / store), mode="r")
            latents = np.asarray(array[offset : offset + n_atoms], np.float32)
            members.append(pa.FixedSizeListArray.from_arrays(latents.reshape(-1), N_FEATURES))
        columns = {f"z{k}": each for k, each in enumerate(members)}
        plain.register("block", pa.table({"place": np.arange(n_atoms), **columns}))
        found = plain.sql(statements["atom_variances"]).pl().sort("place")
        parts.append(
            pl.DataFrame({"number": numbers[dataset, i], "variance": found["variance"]}).select(
                pl.lit(dataset).alias("dataset"), pl.lit(i).alias("structure_id"), pl.all()
            )
        )
    return pl.concat(parts)


def test_the_structures_are_those_of_the_statement(
    plain: duckdb.DuckDBPyConnection, statements: dict[str, str], scores: pl.DataFrame
) -> None:
    found = plain.sql(statements["described_structures"]).pl()
    expected = scores.sort("is_baseline", "source", "frame")
    names = ["set", "dataset", "structure_id", "is_candidate", "source", "frame", "formula"]
    assert found.select(*names, "n_atoms").equals(expected.select(*names, "n_atoms"))
    kinds = [json.loads(info)["kind"] for info in found["info"]]
    assert kinds == expected["kind"].to_list()


def test_the_scores_are_those_of_the_statements(
    plain: duckdb.DuckDBPyConnection,
    statements: dict[str, str],
    atoms: pl.DataFrame,
    scores: pl.DataFrame,
) -> None:
    names = [f"latent_variance_{each}" for each in ("trace", "mean", "trace_max", "trace_p95")]
    symbols = {3: "Li", 8: "O", 40: "Zr"}
    for (dataset,), rows in atoms.group_by("dataset"):
        plain.register("atom_variances", rows.to_arrow())
        found = plain.sql(statements["structure_scores"]).pl()
        expected = scores.filter(dataset=dataset).sort("structure_id")
        assert found["structure_id"].equals(expected["structure_id"])
        for name in names:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)
        for row in plain.sql(statements["element_scores"]).pl().iter_rows(named=True):
            of_one = expected.filter(structure_id=row["structure_id"])
            value = of_one[f"latent_variance_trace_{symbols[row['number']]}"].item()
            assert row["variance"] == pytest.approx(value, rel=1e-12)


def test_the_energies_are_those_of_the_statement(
    plain: duckdb.DuckDBPyConnection, statements: dict[str, str], scores: pl.DataFrame
) -> None:
    found = plain.sql(statements["energy_disagreement"]).pl()
    assert found["has_forces"].all()
    expected = scores.sort("dataset", "structure_id")
    columns = ["dataset", "structure_id", "energy_disagreement"]
    assert found.select(columns).equals(expected.select(columns))


def test_the_statement_on_latents_gives_forces_too(
    plain: duckdb.DuckDBPyConnection, statements: dict[str, str], scores: pl.DataFrame
) -> None:
    rows = plain.sql("SELECT dataset, structure_id, model, forces FROM predictions").pl()
    found = {}
    for key, of in rows.sort("model").group_by("dataset", "structure_id"):
        vectors = [np.stack([each[axis] for axis in "xyz"], axis=1) for each in of["forces"]]
        columns = {
            f"z{k}": pa.FixedSizeListArray.from_arrays(each.reshape(-1), 3)
            for k, each in enumerate(vectors)
        }
        plain.register("block", pa.table({"place": np.arange(len(vectors[0])), **columns}))
        found[key] = np.sqrt(plain.sql(statements["atom_variances"]).pl()["variance"]).mean()
    for dataset, i, value in scores.select("dataset", "structure_id", "force_disagreement").rows():
        assert value == pytest.approx(found[dataset, i], rel=1e-12)
