"""Run benchmarks and print one table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import click

from benchmarks.result import Result
from benchmarks.setting import Setting

# Dotted strings: worker processes import this module again and need none of them.
QUESTIONS = {
    "ingest-small": "benchmarks.ingest_small",
    "ingest-large": "benchmarks.ingest_large",
    "memory": "benchmarks.memory",
    "reingest": "benchmarks.reingest",
    "commits": "benchmarks.commits",
    "opening": "benchmarks.opening",
    "random-reads": "benchmarks.random_reads",
    "small-files": "benchmarks.small_files",
    "latents": "benchmarks.latents",
    "predict": "benchmarks.predicting",
    "batch-sizes": "benchmarks.batch_sizes",
    "worker-size": "benchmarks.worker_size",
    "regions": "benchmarks.regions",
    "force-errors": "benchmarks.force_errors",
    "ood": "benchmarks.ood",
    "query-losses": "benchmarks.comparing_losses",
    "wandb-history": "benchmarks.wandb_history",
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(QUESTIONS)))
@click.option("--quick", is_flag=True, help="Tiny sizes, once: to see that it runs.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Where to write it as JSON.")
@click.option("--folder", type=click.Path(path_type=Path), default=Setting.folder)
def main(
    names: tuple[str, ...], quick: bool, repeats: int, file: Path | None, folder: Path
) -> None:
    """Answer the questions NAMES, or all of them.

    The ratio says how many times better the question's first row is than the row it stands in.
    """
    from benchmarks.machine import describe_machine
    from benchmarks.table import table_text

    setting = Setting(folder, repeats=repeats)
    if quick:
        setting = replace(setting, folder=folder / "quick", is_quick=True, repeats=1)
    machine = describe_machine()
    results: list[Result] = []
    for name in names or QUESTIONS:
        click.echo(f"{name} …", err=True)
        answer = import_module(QUESTIONS[name]).measure(setting)
        click.echo(table_text(answer), err=True)
        results += answer
        if file is not None:  # after each, because all of them take long
            write_json(file, machine, results)
    click.echo(", ".join(f"{key} {value}" for key, value in machine.items()))
    click.echo(table_text(results))


def write_json(file: Path, machine: Mapping[str, object], results: Sequence[Result]) -> None:
    """Write the machine and all results, for machines."""
    content = {"machine": machine, "results": [result.as_dict() for result in results]}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
