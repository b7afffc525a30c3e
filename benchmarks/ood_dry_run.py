"""From slabs to a ranking at the scale of a study: time, memory and size on disk of every step.

A thousand slabs of a thousand atoms, four MACE models of 128 features that cost little and know
nothing, on the CPU, by the commands a user gives. ``python -m benchmarks.ood_dry_run --help``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import polars as pl
from ase import Atoms
from ase.io import write

from benchmarks.disk import MEGABYTE, disk_megabytes
from benchmarks.process_memory import peak_memory

SEEDS = (1, 2, 3, 4)
ELEMENTS = ("Li", "O", "Zr", "La")
SPACING_ANGSTROM = 2.1
CUTOFF_ANGSTROM = 2.6  # the six nearest
VACUUM_ANGSTROM = 15.0
DATASET = "slabs"


@click.command()
@click.option("--slabs", type=click.IntRange(min=1), default=1_000, show_default=True)
@click.option("--side", type=click.IntRange(min=2), default=10, show_default=True, help="Atoms.")
@click.option("--mace-python", type=click.Path(path_type=Path), default=".venv-mace/bin/python")
@click.option("--folder", type=click.Path(path_type=Path), help="Work here; a new folder.")
def main(slabs: int, side: int, mace_python: Path, folder: Path | None) -> None:
    """Make slabs and models, ingest, compute latents, score; one row per step."""
    with TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        os.environ["ATOMLAKE"] = str(place / "lake")
        os.environ["ATOMLAKE_ENVIRONMENTS"] = str(place / "environments.json")
        write(place / "slabs.extxyz", made_slabs(slabs, side), format="extxyz")
        for seed in SEEDS:
            words = (place / f"w{seed}.model", ",".join(ELEMENTS), CUTOFF_ANGSTROM, seed)
            make = [mace_python, "-m", "benchmarks.made_networks", "mace-small", *words]
            subprocess.run([str(word) for word in make], check=True, capture_output=True)
        rows = [measured(place, *step) for step in steps(place, mace_python)]
    table = pl.DataFrame(rows, ["step", "seconds", "atoms/s", "peak MB", "lake MB"], orient="row")
    atoms = slabs * side**3
    passes = pl.when(pl.col("step") == "ingest").then(1).otherwise(len(SEEDS))
    rate = pl.when(pl.col("atoms/s")).then(atoms * passes / pl.col("seconds"))
    with pl.Config(tbl_hide_dataframe_shape=True, float_precision=1, thousands_separator=True):
        click.echo(f"{slabs:,} slabs, {atoms:,} atoms, {len(SEEDS)} members, 128 features")
        click.echo(table.with_columns(rate.round().alias("atoms/s")))


def made_slabs(n_slabs: int, side: int) -> Iterator[Atoms]:
    """Cubes of a simple lattice with vacuum above, elements drawn, atoms moved off their places."""
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    edge = side * SPACING_ANGSTROM
    for number in range(n_slabs):
        random = np.random.default_rng(number)
        away = random.normal(scale=0.02 * (1 + number % 7), size=grid.shape)
        yield Atoms(
            random.choice(ELEMENTS, len(grid)),
            positions=grid * SPACING_ANGSTROM + away,
            cell=[edge, edge, edge + VACUUM_ANGSTROM],
            pbc=True,
            info={"facet": ("100", "110", "111")[number % 3], "strain": number % 7 - 3},
        )


def steps(place: Path, mace_python: Path) -> list[tuple[str, bool, list[list[str]]]]:
    """Name of each step, whether it goes through atoms, and its commands."""
    file = str(place / "slabs.extxyz")
    models = [
        f"model add w{seed} --engine mace --path {place}/w{seed}.model --group bench "
        f"--seed {seed} --parent base --env mace".split()
        for seed in SEEDS
    ]
    query = f"query ood --set {DATASET} --group bench --no-figures -o {place}/answer".split()
    add = ["env", "add", "mace", "--python", str(mace_python.absolute())]
    return [
        ("ingest", True, [["init"], ["ingest", "extxyz", file, "--dataset", DATASET]]),
        ("register", False, [add, *models]),
        ("latents", True, [["compute", "latents", "--dataset", DATASET, "--model", "w*"]]),
        ("query ood", True, [query]),
    ]


def measured(
    place: Path, name: str, goes_through_atoms: bool, commands: list[list[str]]
) -> tuple[str, float, bool, float, float]:
    """Run the commands of a step; a row."""
    program = str(Path(sys.executable).with_name("atomlake"))
    peaks = [peak_memory([program, *words]) for words in commands]
    return (
        name,
        sum(peak.seconds for peak in peaks),
        goes_through_atoms,
        max(peak.tree for peak in peaks) / MEGABYTE,
        disk_megabytes(place / "lake"),
    )


if __name__ == "__main__":
    main()
