"""From nothing to a lake, answers, models, their errors and two figures, every command shown."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import click
import polars as pl

import lake
from examples.defects import generate, write_files
from examples.force_error_figure import draw_force_errors
from examples.force_figure import draw_forces
from examples.terminal import Terminal, atomlake_path, question, step
from examples.training import AT_ONCE, LOSSES, SEEDS, Training, train, trainings

DATASET = "metals"
# Held out are whole generations: the questions about force errors ask for 6 and later. Of the
# others, cells small enough for a minute of training.
TRAINED_ON = "CAST(info ->> 'generation' AS INTEGER) < 6 AND n_atoms < 50"
HELD_OUT = "CAST(info ->> 'generation' AS INTEGER) >= 6"
FEWEST_STRUCTURES = 20  # 12 to train on, of which MACE takes a tenth for validation
MACE_PYTHON = Path(".venv-mace/bin/python")


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("build/demo"))
@click.option("--structures", "n_structures", type=click.IntRange(min=1), default=400)
@click.option("--models", "n_models", type=click.IntRange(0, len(LOSSES) * len(SEEDS)), default=4)
@click.option("--epochs", "n_epochs", type=click.IntRange(min=1), default=16)
@click.option("--mace-python", type=click.Path(path_type=Path), default=MACE_PYTHON)
def main(folder: Path, n_structures: int, n_models: int, n_epochs: int, mace_python: Path) -> None:
    """Make structures, put them into a lake, train models on some and test them on others."""
    start = time.monotonic()
    if n_models:
        check_training(n_structures, mace_python)
    for made in ("structures", "lake"):
        shutil.rmtree(folder / made, ignore_errors=True)
    terminal = Terminal(
        {
            "ATOMLAKE": str(folder / "lake"),
            "ATOMLAKE_ENVIRONMENTS": str(folder / "environments.json"),
        }
    )
    make_structures(n_structures, folder)
    fill_lake(terminal, folder)
    if n_models:
        data = folder / "train.extxyz"
        wanted = trainings(n_models, n_epochs, mace_python, data, folder / "training")
        train_models(terminal, wanted)
        evaluate_models(terminal, wanted)
        compare_losses(terminal, folder / "losses")
    step("What was done to the lake")
    terminal.atomlake("log")
    figures = draw_figures(folder, with_models=n_models > 0)
    step(f"Done in {time.monotonic() - start:.0f} s")
    say_where(folder, figures, terminal)


def check_training(n_structures: int, mace_python: Path) -> None:
    """Refuse at once what would fail after minutes."""
    if not mace_python.exists():
        raise click.ClickException(
            f"{mace_python} does not exist. Expected the Python of an environment with MACE and "
            "atomlake. Run make demo, which makes one, or give --mace-python, or --models 0."
        )
    if n_structures < FEWEST_STRUCTURES:
        raise click.ClickException(
            f"--structures {n_structures} leave too few to train on. Expected at least "
            f"{FEWEST_STRUCTURES}. Make more of them, or give --models 0."
        )


def make_structures(n_structures: int, folder: Path) -> None:
    """Write labelled structures into files."""
    step(f"{n_structures} structures of Cu and Ni, labelled with ASE's EMT (examples/defects.py)")
    files = write_files(generate(n_structures), folder / "structures")
    click.echo("\n".join(str(file) for file in files))


def fill_lake(terminal: Terminal, folder: Path) -> None:
    """Fill a lake and question it, all on the command line."""
    pattern = str(folder / "structures" / "*")
    ingest = ("ingest", "extxyz", pattern, "--dataset", DATASET, "--label-set", "emt")
    step("An empty lake, named once for all commands, with a place for the names of environments")
    terminal.export()
    terminal.atomlake("init")
    step("All files into one dataset, as one commit")
    terminal.atomlake(*ingest)
    step("What the lake holds")
    terminal.atomlake("info")
    for name in ("structures_by_type", "forces_by_type", "largest_forces"):
        terminal.answer(name)
    step("The same files again: nothing is added")
    terminal.atomlake(*ingest)


def train_models(terminal: Terminal, wanted: Sequence[Training]) -> None:
    """Train on what the lake gives out."""
    step("A training set from the lake: small cells of generations 0 to 5; the rest is held out")
    data = str(wanted[0].data)
    terminal.atomlake("export", "extxyz", data, "--where", TRAINED_ON, "--label-prefix", "REF_")
    step(
        f"{len(wanted)} tiny models, two at a time; all but loss and seed is in examples/mace.yaml"
    )
    for number, training in enumerate(wanted, start=1):
        click.echo(f"$ {training.shown_command} &")
        if number % AT_ONCE == 0 or number == len(wanted):
            click.echo("$ wait")
    for line in train(wanted):
        click.echo(line)


def evaluate_models(terminal: Terminal, wanted: Sequence[Training]) -> None:
    """Register the models, predict everything with them, and compare with the reference."""
    step("MACE has an environment of its own, where its models will run")
    Path(terminal.variables["ATOMLAKE_ENVIRONMENTS"]).unlink(missing_ok=True)
    terminal.atomlake("env", "add", "mace", "--python", str(wanted[0].python))
    step("The curves of their trainings")
    logs = [str(training.work / "results") for training in wanted]
    terminal.atomlake("ingest", "mace-log", *logs, "--project", DATASET)
    step("The models, with the loss as the group, the seed, and the run it came from")
    for training in wanted:
        said = ("--group", training.loss, "--seed", str(training.seed), "--env", "mace")
        said += ("--run", training.run_name)
        path = ("--engine", "mace", "--path", str(training.model))
        terminal.atomlake("model", "add", training.name, *path, *said)
    step("Energies, forces, stress and latents of all models, in one pass each")
    pattern = ("--dataset", DATASET, "--model", "*")
    terminal.atomlake("compute", "predict", *pattern, "--latents", "last")
    step("What is done")
    terminal.atomlake("compute", "status")
    terminal.answer("force_errors_by_type")


def compare_losses(terminal: Terminal, folder: Path) -> None:
    """Find the defects, and ask which loss has the better forces near them."""
    step(
        "Where the defects are: sites that are empty or hold two atoms; 4 Å is what the models see"
    )
    labelled = ("--dataset", DATASET, "--scheme", "sites", "--model-cutoff", "4")
    terminal.atomlake("compute", "regions", *labelled)
    step("Which loss is better near defects, on what no model was trained on: tables and a report")
    asked = ("--dataset", DATASET, "--scheme", "sites", "--where", HELD_OUT)
    shutil.rmtree(folder, ignore_errors=True)
    terminal.atomlake("query", "losses", *asked, "--report", "-o", str(folder))


def draw_figures(folder: Path, *, with_models: bool) -> list[Path]:
    """Draw the figures from Python; their files."""
    lk = lake.open(str(folder / "lake"))
    caption = f"label set emt; lake version {lk.version}"
    every = f"Dataset {DATASET}, all structures, {caption}"
    figures = draw_forces(ask_python(lk, "force_norms"), every, folder / "forces")
    if with_models:
        held_out = f"Dataset {DATASET}, generations 6 to 9, not trained on, {caption}"
        errors = ask_python(lk, "force_errors_by_structure")
        figures += draw_force_errors(errors, held_out, folder / "force_errors")
    return figures


def ask_python(lk: lake.Lake, name: str) -> pl.DataFrame:
    """The answer to one of the questions, as a frame of Polars."""
    about, statement = question(name)
    step(about)
    click.echo('>>> lk = lake.open(os.environ["ATOMLAKE"])')
    click.echo(f'>>> lk.sql(Path("examples/questions/{name}.sql").read_text()).pl()')
    answer: pl.DataFrame = lk.sql(statement).pl()
    return answer


def say_where(folder: Path, figures: Sequence[Path], terminal: Terminal) -> None:
    """Print where everything is."""
    click.echo(f"structures  {folder / 'structures'}")
    click.echo(f"lake        {folder / 'lake'}")
    if (folder / "training").exists():
        click.echo(f"models      {folder / 'training'}")
    click.echo(f"figures     {'  '.join(map(str, figures))}")
    if (folder / "losses").exists():
        click.echo(f"tables      {folder / 'losses'}")
        click.echo(f"report      {folder / 'losses' / 'report.html'}, for a browser")
    terminal.export()
    click.echo(f"Ask your own: {atomlake_path()} shell")


if __name__ == "__main__":
    main()
