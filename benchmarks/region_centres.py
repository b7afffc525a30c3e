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
from compute.regions.radii import Radii
from compute.regions.scheme import LegacyScheme, Scheme, SitesScheme
from compute.regions.structure import NoRegionsError, Structure

SIZES = (2, 3, 4, 5)
RATTLES = (0.0, 0.05, 0.1, 0.15)
DEFECTS = ("vacancy", "split", "octahedral", "two-vacancies")
SCHEMES: dict[str, Scheme] = {"legacy": LegacyScheme(Radii()), "sites": SitesScheme(Radii())}
HEADING = (
    "| lattice | defect | n | legacy: median [Å] | largest [Å] | sites: median [Å] | largest [Å] "
    "| sites: right |\n"
    "|---|---|---|---|---|---|---|---|\n"
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
    """Median and largest error of both schemes, and the share of `sites` that is right."""
    right = 0
    for name, scheme in SCHEMES.items():
        errors = []
        for known in structures:
            error, is_right = judged(known, scheme)
            errors.append(error)
            right += is_right and name == "sites"
        given = [error for error in errors if error is not None]
        yield from (f"{np.median(given):.2f}", f"{max(given):.2f}") if given else ("", "")
    yield f"{right / len(structures):.0%}"


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
