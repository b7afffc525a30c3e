"""From nothing to a lake, three answers and a figure, showing every command before it runs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import click

import lake
from examples.defects import generate, write_files
from examples.force_figure import draw_forces

QUESTIONS = Path(__file__).parent / "questions"
DATASET = "metals"


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("build/demo"))
@click.option("--structures", "n_structures", type=click.IntRange(min=1), default=400)
def main(folder: Path, n_structures: int) -> None:
    """Make structures, put them into a lake, ask it questions, and draw a figure."""
    start = time.monotonic()
    for made in ("structures", "lake"):
        shutil.rmtree(folder / made, ignore_errors=True)
    step(f"{n_structures} structures of Cu and Ni, labelled with ASE's EMT (examples/defects.py)")
    files = write_files(generate(n_structures), folder / "structures")
    click.echo("\n".join(str(file) for file in files))
    use_lake(folder)
    figures = draw(folder)
    step(f"Done in {time.monotonic() - start:.0f} s")
    click.echo(f"structures  {folder / 'structures'}")
    click.echo(f"lake        {folder / 'lake'}")
    click.echo(f"figures     {'  '.join(map(str, figures))}")
    click.echo(f"Ask your own: {atomlake_path()} shell --lake {folder / 'lake'}")


def use_lake(folder: Path) -> None:
    """Fill a lake and question it, all on the command line."""
    environment = {**os.environ, "ATOMLAKE": str(folder / "lake")}

    def atomlake(*words: str) -> None:
        click.echo(f"$ {' '.join(map(shown, ('atomlake', *words)))}")
        done = subprocess.run([str(atomlake_path()), *words], env=environment, check=False)
        if done.returncode:
            raise click.ClickException(f"atomlake ended with exit code {done.returncode}.")

    def answer(name: str) -> None:
        about, statement = question(name)
        step(about)
        atomlake("sql", statement)

    pattern = str(folder / "structures" / "*")
    ingest = ("ingest", "extxyz", pattern, "--dataset", DATASET, "--label-set", "emt")
    step("An empty lake, named once for all commands")
    click.echo(f"$ export ATOMLAKE={folder / 'lake'}")
    atomlake("init")
    step("All files into one dataset, as one commit")
    atomlake(*ingest)
    step("What the lake holds")
    atomlake("info")
    for name in ("structures_by_type", "forces_by_type", "largest_forces"):
        answer(name)
    step("The same files again: nothing is added")
    atomlake(*ingest)
    step("What was done to the lake")
    atomlake("log")


def draw(folder: Path) -> list[Path]:
    """Draw the figure from Python; its files."""
    about, statement = question("force_norms")
    step(about)
    click.echo('>>> lk = lake.open(os.environ["ATOMLAKE"])')
    click.echo('>>> forces = lk.sql(Path("examples/questions/force_norms.sql").read_text()).pl()')
    lk = lake.open(str(folder / "lake"))
    forces = lk.sql(statement).pl()
    caption = f"Dataset {DATASET}, all structures, label set emt; lake version {lk.version}"
    return draw_forces(forces, caption, folder / "forces")


def question(name: str) -> tuple[str, str]:
    """What a file of questions/ asks, in words and in SQL."""
    lines = (QUESTIONS / f"{name}.sql").read_text().splitlines()
    statement = [line for line in lines if not line.startswith("--")]
    return lines[0].removeprefix("-- "), "\n".join(statement)


def shown(word: str) -> str:
    """A word of a command, quoted so that it can be pasted into a shell."""
    quoted = shlex.quote(word)
    # SQL has quotation marks of its own, which double ones around it leave readable.
    return f'"{word}"' if quoted != word and not set(word) & set('"$`\\!') else quoted


def step(title: str) -> None:
    """Print a heading."""
    click.secho(f"\n# {title}", bold=True)
    sys.stdout.flush()  # commands write to the same place


def atomlake_path() -> Path:
    """The command, in the environment this runs in."""
    return Path(sysconfig.get_path("scripts")) / "atomlake"


if __name__ == "__main__":
    main()
