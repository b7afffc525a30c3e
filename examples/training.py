"""Small MACE models, trained two at a time by MACE's own command in its own environment."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from examples.terminal import shown

CONFIG = Path(__file__).parent / "mace.yaml"
LOSSES = ("weighted", "l1l2energyforces")  # mean squares, and mean absolute values and norms
SEEDS = (1, 2)
AT_ONCE = 2  # on one thread each: models this small gain nothing from a second
SHOWN_LINES_OF_LOG = 5


@dataclass(frozen=True)
class Training:
    """One model to be trained: a loss, a seed, and what all share.

    ``python`` is the interpreter of an environment with MACE, ``data`` extended XYZ with labels
    under ``REF_energy``, ``REF_forces`` and ``REF_stress``, ``folder`` where all trainings lie.
    """

    loss: str
    seed: int
    n_epochs: int
    python: Path
    data: Path
    folder: Path

    @property
    def name(self) -> str:
        """Name of the model."""
        return f"mace-{self.loss}-{self.seed}"

    @property
    def run_name(self) -> str:
        """Name of the training run, as MACE gives it to its files."""
        return f"mace-{self.loss}_run-{self.seed}"

    @property
    def work(self) -> Path:
        """Folder of this training alone."""
        return self.folder / self.name

    @property
    def model(self) -> Path:
        """The trained model; ``{name}.model`` would be overwritten by the next seed."""
        return self.work / "checkpoints" / f"{self.run_name}.model"

    @property
    def log(self) -> Path:
        """What MACE said."""
        return self.folder / f"{self.name}.log"

    @property
    def command(self) -> list[str]:
        """The words of the command."""
        options = {
            "config": os.path.relpath(CONFIG),
            "loss": self.loss,
            "name": f"mace-{self.loss}",
            "seed": self.seed,
            "max_num_epochs": self.n_epochs,
            "train_file": self.data,
            "work_dir": self.work,
        }
        words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        return [str(self.python.with_name("mace_run_train")), *words]

    @property
    def shown_command(self) -> str:
        """The command as it would be typed, its output going to the log."""
        words = " ".join(map(shown, self.command))
        return f"OMP_NUM_THREADS=1 {words} > {shown(str(self.log))} 2>&1"

    def run(self) -> str:
        """Train; a line that says how long it took.

        A model is left alone that the same command made from the same data.

        Raises
        ------
        click.ClickException
            MACE failed; the message holds the end of its log.
        """
        made_from = self.work / "made_from"
        if self.model.exists() and made_from.exists() and made_from.read_text() == self.recipe():
            return f"{self.name}: trained before from the same data, left alone"
        shutil.rmtree(self.work, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        with self.log.open("w") as log:
            done = subprocess.run(
                self.command,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode or not self.model.exists():
            last = "\n".join(self.log.read_text().splitlines()[-SHOWN_LINES_OF_LOG:])
            raise click.ClickException(
                f"Training {self.name} ended with exit code {done.returncode}. Expected a model in "
                f"{self.model}. The end of {self.log}:\n{last}"
            )
        made_from.write_text(self.recipe())
        return f"{self.name}: {time.monotonic() - start:.0f} s"

    def recipe(self) -> str:
        """Everything the model is made from, in a text."""
        checksums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (CONFIG, self.data)]
        return "\n".join((*self.command, *checksums))


def trainings(
    n_models: int, n_epochs: int, python: Path, data: Path, folder: Path
) -> list[Training]:
    """The first so many of the trainings, which take the losses in turn."""
    every = [
        Training(loss, seed, n_epochs, python, data, folder) for seed in SEEDS for loss in LOSSES
    ]
    return every[:n_models]


def train(wanted: Sequence[Training]) -> Iterator[str]:
    """Train, AT_ONCE models at a time; a line for each that is ready."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(Training.run, wanted)
