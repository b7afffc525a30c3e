"""Acetylacetone at 600 K told from 300 K: how well each score does, as AUROC.

Every ensemble is a small MACE, trained on some frames at 300 K, and four members that go on from it
with other seeds on more of them. The 500 frames of training are the baseline; 650 frames at 300 K
and 650 at 600 K, which nobody was trained on, are told apart.
``python -m benchmarks.ood_acac --help``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import polars as pl
from ase import Atoms
from ase.io import read, write
from numpy.typing import NDArray
from scipy.stats import rankdata

import lake
from benchmarks.mace_members import Options, fine_tune, train_parent
from compute import Request, run
from compute.environments.registry import add_environment
from compute.models.registration import add_model
from ingest.api import ingest
from lake.lake import Lake
from queries.ood.baseline import DISTANCES
from queries.ood.choosing import Choice
from queries.ood.distances import score_with_distances
from queries.ood.result import ALIGNED, SCORES

FILES = {"train": "train_300K.xyz", "at300": "test_MD_300K.xyz", "at600": "test_MD_600K.xyz"}
RESAMPLES = 1_000
DEFAULT_DATA = Path(os.environ.get("ATOMLAKE_TEST_DATA", "../shared/data"))


@dataclass(frozen=True)
class Ensemble:
    """How a parent and its members are trained.

    Attributes
    ----------
    parent_seed, seeds
        Of the parent, and of the members.
    parent_frames, frames
        The frames of training that each of them sees: the first, and the one after the last.
    parent_options, options
        Options of MACE.
    """

    parent_seed: int
    seeds: tuple[int, ...]
    parent_frames: tuple[int, int]
    frames: tuple[int, int]
    parent_options: Options
    options: Options


ROUGH = Ensemble(
    parent_seed=0,
    seeds=(1, 2, 3, 4),
    parent_frames=(0, 100),
    frames=(100, 400),
    parent_options={"max_num_epochs": 60},
    options={"max_num_epochs": 30, "lr": 0.005},
)
SMOOTH = {"batch_size": 5, "ema": True, "ema_decay": 0.99}
# A parent near convergence, and members that stay near it.
GENTLE = Ensemble(
    parent_seed=20,
    seeds=(21, 22, 23, 24),
    parent_frames=(0, 300),
    frames=(300, 500),
    parent_options={"max_num_epochs": 60, **SMOOTH},
    options={"max_num_epochs": 15, "lr": 0.0005, **SMOOTH},
)
ENSEMBLES = {
    "rough": ROUGH,
    "rough again": replace(ROUGH, parent_seed=10, seeds=(11, 12, 13, 14)),
    "gentle": GENTLE,
    "gentle again": replace(GENTLE, parent_seed=30, seeds=(31, 32, 33, 34)),
}


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=DEFAULT_DATA / "acac")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("build/bench/ood-acac"))
@click.option("--mace-python", type=click.Path(path_type=Path), default=".venv-mace/bin/python")
@click.option(
    "--ensemble",
    "names",
    type=click.Choice(list(ENSEMBLES)),
    multiple=True,
    default=list(ENSEMBLES),
    help="May be repeated.  [default: all]",
)
@click.option("--quick", is_flag=True, help="Two epochs: to see that it runs.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write all numbers as CSV.")
def main(
    data: Path,
    folder: Path,
    mace_python: Path,
    names: tuple[str, ...],
    quick: bool,
    output: Path | None,
) -> None:
    """Train, compute, score, and print one row per score with a column per ensemble."""
    for place in (data / FILES["train"], mace_python):
        if not place.exists():
            raise click.ClickException(
                f"{place} does not exist. Expected data and an environment with MACE. Set "
                "ATOMLAKE_TEST_DATA or give --data; run make engines or give --mace-python."
            )
    parts = []
    for name in dict.fromkeys(names):
        own = folder.absolute() / ("quick" if quick else "full") / name.replace(" ", "-")
        ensemble = hurried(ENSEMBLES[name]) if quick else ENSEMBLES[name]
        scores = scored(filled_lake(data, own, mace_python.absolute(), ensemble))
        parts.append(auroc_table(scores).select(pl.lit(name).alias("ensemble"), pl.all()))
    table = pl.concat(parts)
    with pl.Config(
        tbl_rows=-1,
        tbl_width_chars=140,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        fmt_str_lengths=40,
    ):
        click.echo(side_by_side(table))
    if output is not None:
        table.write_csv(output)


def hurried(ensemble: Ensemble) -> Ensemble:
    """The same with two epochs."""
    short = {"max_num_epochs": 2}
    return replace(
        ensemble,
        parent_options={**ensemble.parent_options, **short},
        options={**ensemble.options, **short},
    )


def filled_lake(data: Path, folder: Path, python: Path, ensemble: Ensemble) -> Lake:
    """A lake with all frames, the members, and what they predict."""
    folder.mkdir(parents=True, exist_ok=True)
    train = read(data / FILES["train"], ":")
    parent_data = labelled(train[slice(*ensemble.parent_frames)], folder / "parent.xyz")
    member_data = labelled(train[slice(*ensemble.frames)], folder / "member.xyz")
    parent = train_parent(
        python, parent_data, ensemble.parent_seed, ensemble.parent_options, folder
    )
    members = fine_tune(python, parent, member_data, ensemble.seeds, ensemble.options, folder)
    os.environ["ATOMLAKE_ENVIRONMENTS"] = str(folder / "environments.json")
    add_environment("mace", str(python))
    place = folder / "lake"
    lk = lake.open(str(place)) if place.exists() else lake.create(str(place))
    for name, file in FILES.items():
        ingest(lk, "extxyz", [str(data / file)], dataset=name)
    for seed, path in zip(ensemble.seeds, members, strict=True):
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


def labelled(frames: Sequence[Atoms], file: Path) -> Path:
    """Write frames with labels under the keys MACE is told."""
    made = []
    for atoms in frames:
        bare = atoms.copy()
        bare.info = {"REF_energy": atoms.get_potential_energy()}
        bare.arrays["REF_forces"] = atoms.get_forces()
        made.append(bare)
    write(file, made, format="extxyz")
    return file


def scored(lk: Lake) -> pl.DataFrame:
    """All scores of the frames."""
    result, _ = score_with_distances(
        lk,
        sets=["at300", "at600"],
        groups=["acac"],
        baseline="train",
        choice=Choice(),
        is_mapped=False,
    )
    for warning in result.warnings:
        click.echo(f"Note: {warning}", err=True)
    return result.scores


def auroc_table(scores: pl.DataFrame) -> pl.DataFrame:
    """How well each score tells 600 K from 300 K, with a 95 % interval by resampling frames."""
    rows = []
    for name in (*SCORES, ALIGNED, *DISTANCES):
        cold, hot = (scores.filter(set=each)[name].to_numpy() for each in ("at300", "at600"))
        random = np.random.default_rng(0)
        again = [
            auroc(random.choice(cold, len(cold)), random.choice(hot, len(hot)))
            for _ in range(RESAMPLES)
        ]
        low, high = np.quantile(again, [0.025, 0.975])
        rows.append((name, auroc(cold, hot), low, high, len(cold), len(hot)))
    columns = ["score", "auroc", "low", "high", "n_300K", "n_600K"]
    return pl.DataFrame(rows, columns, orient="row")


def side_by_side(table: pl.DataFrame) -> pl.DataFrame:
    """One row per score, the best on average first, and a column per ensemble."""
    figures = table.select("auroc", "low", "high").iter_rows()
    texts = [f"{auroc:.3f} ({low:.3f}–{high:.3f})" for auroc, low, high in figures]
    wide = table.with_columns(text=pl.Series(texts)).pivot("ensemble", index="score", values="text")
    order = table.group_by("score").agg(pl.col("auroc").mean())
    return wide.join(order, on="score").sort("auroc", descending=True).drop("auroc")


def auroc(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Chance that one from outside scores above one from inside; ties count half."""
    ranks = rankdata(np.concatenate([inside, outside]))
    rank_sum = ranks[len(inside) :].sum() - len(outside) * (len(outside) + 1) / 2
    return float(rank_sum / (len(inside) * len(outside)))


if __name__ == "__main__":
    main()
