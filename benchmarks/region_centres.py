"""How far the centres of `legacy` and `sites` are from defects whose places are known.

``python -m benchmarks.region_centres`` prints a table in Markdown; ``--seeds N`` sets how many
structures stand behind each of its cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import click
import numpy as np
from ase import Atoms
from ase.geometry import find_mic

from benchmarks.known_defects import LATTICES, Known, with_defect
from compute.regions.scheme import LegacyScheme, Scheme, SitesScheme
from compute.regions.structure import NoRegionsError, Structure

SIZES = (2, 3, 4, 5)
RATTLES = (0.0, 0.05, 0.1, 0.15)
DEFECTS = ("vacancy", "split", "octahedral", "two-vacancies")
SCHEMES: tuple[Scheme, ...] = (LegacyScheme(), SitesScheme())
HEADING = (
    "| lattice | defect | n | legacy: median [Å] | largest [Å] | right "
    "| sites: median [Å] | largest [Å] | right |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)


@click.command()
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True)
def main(seeds: int) -> None:
    """Print the table."""
    click.echo(HEADING + "\n".join(rows(seeds)))


def rows(seeds: int) -> Iterator[str]:
    """A row for each lattice and defect, over all sizes and displacements."""
    for lattice, defect in product(LATTICES, (*DEFECTS, "none")):
        structures = [
            with_defect(lattice, n, defect, rattle, seed)
            for n, rattle, seed in product(SIZES, RATTLES, range(seeds))
        ]
        yield f"| {lattice} | {defect} | {len(structures)} | {' | '.join(cells(structures))} |"


def cells(structures: list[Known]) -> Iterator[str]:
    """Of both schemes, median and largest error of centres, and the share that is right."""
    for scheme in SCHEMES:
        judgements = [judged(known, scheme) for known in structures]
        errors = [error for error, _ in judgements if error is not None]
        yield from (f"{np.median(errors):.2f}", f"{max(errors):.2f}") if errors else ("", "")
        yield f"{sum(is_right for _, is_right in judgements) / len(structures):.0%}"


def judged(known: Known, scheme: Scheme) -> tuple[float | None, bool]:
    """The error of the centre in Å, and whether kind and number of the defects are right.

    Of several defects it is the largest distance from one that was made to the nearest found.
    """
    atoms = known.atoms
    try:
        found = scheme.find(as_structure(atoms))
    except NoRegionsError:
        return None, False
    is_right = found.defect_kind == known.kind and len(found.centres) == len(known.centres)
    if not len(known.centres) or not len(found.centres):
        return None, is_right
    apart = [find_mic(found.centres - c, atoms.cell, atoms.pbc)[1].min() for c in known.centres]
    return float(max(apart)), is_right


def as_structure(atoms: Atoms) -> Structure:
    """Atoms as a scheme takes them."""
    numbers = atoms.numbers.astype(np.int64)
    kind = atoms.info["config_type"]
    return Structure(numbers, atoms.positions, atoms.cell.array, atoms.pbc, kind)


if __name__ == "__main__":
    main()
