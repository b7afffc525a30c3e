"""Acetylacetone at 600 K told from 300 K: how well each score does, as AUROC.

A small MACE is trained on 100 frames at 300 K, and four members go on from it with other seeds on
300 frames at 300 K. The 500 frames of training are the baseline; 650 frames at 300 K and 650 at
600 K, which nobody was trained on, are told apart. ``python -m benchmarks.ood_acac --help``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import polars as pl
from ase.io import read, write
from numpy.typing import NDArray
from scipy.stats import rankdata

import lake
from benchmarks.mace_members import fine_tune, train_parent
from compute import Request, run
from compute.environments.registry import add_environment
from compute.models.registration import add_model
from ingest.api import ingest
from lake.lake import Lake
from queries.ood.baseline import DISTANCES
from queries.ood.choosing import Choice
from queries.ood.distances import score_with_distances
from queries.ood.result import SCORES

FILES = {"train": "train_300K.xyz", "at300": "test_MD_300K.xyz", "at600": "test_MD_600K.xyz"}
SEEDS = (1, 2, 3, 4)
RESAMPLES = 1_000
MAPPED = "latent_variance_mapped"  # no score of the query: see mapped_variances
DEFAULT_DATA = Path(os.environ.get("ATOMLAKE_TEST_DATA", "../shared/data"))


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=DEFAULT_DATA / "acac")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("build/bench/ood-acac"))
@click.option("--mace-python", type=click.Path(path_type=Path), default=".venv-mace/bin/python")
@click.option("--quick", is_flag=True, help="Two epochs: to see that it runs.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the table as CSV.")
def main(data: Path, folder: Path, mace_python: Path, quick: bool, output: Path | None) -> None:
    """Train, compute, score, and print one row per score."""
    for place in (data / FILES["train"], mace_python):
        if not place.exists():
            raise click.ClickException(
                f"{place} does not exist. Expected data and an environment with MACE. Set "
                "ATOMLAKE_TEST_DATA or give --data; run make engines or give --mace-python."
            )
    folder = folder / ("quick" if quick else "full")
    folder.mkdir(parents=True, exist_ok=True)
    lk = filled_lake(data, folder.absolute(), mace_python.absolute(), quick=quick)
    result, _ = score_with_distances(
        lk, sets=["at300", "at600"], groups=["acac"], baseline="train", choice=Choice()
    )
    for warning in result.warnings:
        click.echo(f"Note: {warning}", err=True)
    scores = result.scores.join(mapped_variances(lk), on=["dataset", "structure_id"], how="left")
    names = [name for name in (*SCORES, *DISTANCES, MAPPED) if name in scores.columns]
    table = auroc_table(scores, names)
    with pl.Config(tbl_rows=-1, float_precision=3, tbl_hide_dataframe_shape=True):
        click.echo(table)
    if output is not None:
        table.write_csv(output)


def filled_lake(data: Path, folder: Path, python: Path, *, quick: bool) -> Lake:
    """A lake with all frames, four members, and what they predict."""
    frames = {name: read(data / file, ":") for name, file in FILES.items()}
    few, more = (2, 2) if quick else (60, 30)
    parent_data = labelled(frames["train"][:100], folder / "parent.xyz")
    member_data = labelled(frames["train"][100:400], folder / "member.xyz")
    parent = train_parent(python, parent_data, few, folder)
    members = fine_tune(python, parent, member_data, more, SEEDS, folder)
    os.environ["ATOMLAKE_ENVIRONMENTS"] = str(folder / "environments.json")
    add_environment("mace", str(python))
    place = folder / "lake"
    lk = lake.open(str(place)) if place.exists() else lake.create(str(place))
    for name, file in FILES.items():
        ingest(lk, "extxyz", [str(data / file)], dataset=name)
    for seed, path in zip(SEEDS, members, strict=True):
        add_model(
            lk,
            f"acac-{seed}",
            engine="mace",
            path=str(path),
            group="acac",
            seed=seed,
            parent="acac-parent",
            environment="mace",
        )
    run(lk, Request("predict", list(FILES), ["acac-*"], latents="last"))
    return lk


def labelled(frames: Sequence[object], file: Path) -> Path:
    """Write frames with labels under the keys MACE is told."""
    made = []
    for atoms in frames:
        bare = atoms.copy()  # type: ignore[attr-defined]
        bare.info = {"REF_energy": atoms.get_potential_energy()}  # type: ignore[attr-defined]
        bare.arrays["REF_forces"] = atoms.get_forces()  # type: ignore[attr-defined]
        made.append(bare)
    write(file, made, format="extxyz")
    return file


def mapped_variances(lk: Lake) -> pl.DataFrame:
    """Variance of latents after taking out what is linear in the difference between members.

    On the frames of training and for each element, the latents of a member are mapped onto the mean
    of all members by least squares, with a constant. Seeds turn and shift the latents of a model
    without any change of what it predicts; what is left after the map is disagreement.
    """
    latents = {name: _latents(lk, name) for name in FILES}
    train = latents["train"]
    found = []
    for name in ("at300", "at600"):
        each = latents[name]
        mapped = np.empty_like(each.values)
        for number in np.unique(train.numbers):
            known, wanted = train.values[:, train.numbers == number], each.numbers == number
            mean = known.mean(axis=0)
            for member, rows in enumerate(known):
                weights = np.linalg.lstsq(_with_one(rows), mean, rcond=None)[0]
                mapped[member, wanted] = _with_one(each.values[member, wanted]) @ weights
        variance = mapped.var(axis=0).sum(axis=1)
        atoms = pl.DataFrame({"structure_id": each.structure_ids, MAPPED: variance})
        means = atoms.group_by("structure_id").agg(pl.col(MAPPED).mean())
        found.append(means.select(pl.lit(name).alias("dataset"), pl.all()))
    return pl.concat(found)


@dataclass(frozen=True, eq=False)
class Latents:
    """Latents of a dataset: values of shape (n_members, n_atoms, n_features)."""

    structure_ids: NDArray[np.int64]
    numbers: NDArray[np.int64]
    values: NDArray[np.float64]


def _latents(lk: Lake, dataset: str) -> Latents:
    frames = [
        pl.concat(
            pl.DataFrame(pl.from_arrow(batch))
            for batch in lk.latents(dataset=dataset, model=f"acac-{seed}")
        ).sort("structure_id", "atom")
        for seed in SEEDS
    ]
    atoms = lk.scan("structures", dataset=dataset).select("structure_id", "numbers").collect()
    numbers = atoms.sort("structure_id")["numbers"].explode().to_numpy().astype(np.int64)
    values = np.stack([frame["latent"].to_numpy() for frame in frames]).astype(np.float64)
    return Latents(frames[0]["structure_id"].to_numpy(), numbers, values)


def _with_one(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([rows, np.ones(len(rows))])


def auroc_table(scores: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """How well each score tells 600 K from 300 K, with a 95 % interval by resampling frames."""
    rows = []
    for name in names:
        cold, hot = (scores.filter(set=each)[name].to_numpy() for each in ("at300", "at600"))
        random = np.random.default_rng(0)
        again = [
            auroc(random.choice(cold, len(cold)), random.choice(hot, len(hot)))
            for _ in range(RESAMPLES)
        ]
        low, high = np.quantile(again, [0.025, 0.975])
        rows.append((name, auroc(cold, hot), low, high, len(cold), len(hot)))
    columns = ["score", "auroc", "low", "high", "n_300K", "n_600K"]
    return pl.DataFrame(rows, columns, orient="row").sort("auroc", descending=True)


def auroc(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Chance that one from outside scores above one from inside; ties count half."""
    ranks = rankdata(np.concatenate([inside, outside]))
    rank_sum = ranks[len(inside) :].sum() - len(outside) * (len(outside) + 1) / 2
    return float(rank_sum / (len(inside) * len(outside)))


if __name__ == "__main__":
    main()
