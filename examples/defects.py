"""Copper and nickel with vacancies, interstitials and no defect, labelled with ASE's EMT.

Every structure is made from its own seed, so the same call gives the same files on any machine.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement, islice, product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from ase import Atom, Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.optimize import FIRE

# Where EMT has its least energy, so that the strain below is all the strain there is.
LATTICE_CONSTANT_ANGSTROM = {"Cu": 3.590, "Ni": 3.487}
CONFIG_TYPES = ("bulk", "vac", "vac", "sia_octahedral", "sia_dumbbell")  # vacancies twice as many
SIZES = tuple(combinations_with_replacement((2, 3), 3))  # in cubic cells of four atoms
GENERATIONS = 10
RATTLE_ANGSTROM = (0.02, 0.12)
LARGEST_STRAIN = 0.02
DUMBBELL_SEPARATION = 0.6  # of the lattice constant; the <100> split interstitial in fcc metals
RELAXED_EV_PER_ANGSTROM = 0.05
MOST_RELAXATION_STEPS = 40


@dataclass(frozen=True)
class Recipe:
    """Everything one structure is made from."""

    element: str
    config_type: str
    size: tuple[int, int, int]
    generation: int
    seed: tuple[int, int]


def recipes(n_structures: int, seed: int = 0) -> list[Recipe]:
    """Recipes that take elements, kinds and sizes in turn, so that any number is a fair mix."""
    elements = LATTICE_CONSTANT_ANGSTROM
    turns = (
        Recipe(element, config_type, size, number * GENERATIONS // n_structures, (seed, number))
        for number, (_, size, config_type, element) in enumerate(
            product(range(n_structures), SIZES, CONFIG_TYPES, elements)
        )
    )
    return list(islice(turns, n_structures))


def build(recipe: Recipe) -> Atoms:
    """One labelled structure.

    Returns
    -------
    Atoms
        Labels are ``info["REF_energy"]`` (eV), ``arrays["REF_forces"]`` (eV/Å) and
        ``info["REF_stress"]`` (Voigt, eV/Å³). Where there is a defect,
        ``info["defect_position"]`` is its lattice site: shape (3,), Å.
    """
    random = np.random.default_rng(recipe.seed)
    atoms, site = relaxed(recipe.element, recipe.config_type, recipe.size)
    atoms = atoms.copy()
    strain = random.uniform(-LARGEST_STRAIN, LARGEST_STRAIN, (3, 3))
    deformation = np.eye(3) + (strain + strain.T) / 2
    atoms.set_cell(atoms.cell @ deformation, scale_atoms=True)
    atoms.positions += random.normal(scale=random.uniform(*RATTLE_ANGSTROM), size=(len(atoms), 3))
    atoms.info = {"config_type": recipe.config_type, "generation": recipe.generation}
    if site is not None:
        atoms.info["defect_position"] = np.array(site) @ deformation
    label(atoms)
    return atoms


def label(atoms: Atoms) -> None:
    """Add EMT's energy, forces and stress under the keys training codes ask for."""
    calculator = EMT()
    atoms.info["REF_energy"] = calculator.get_potential_energy(atoms)
    atoms.arrays["REF_forces"] = calculator.get_forces(atoms)
    atoms.info["REF_stress"] = calculator.get_stress(atoms)


@cache
def relaxed(
    element: str, config_type: str, size: tuple[int, int, int]
) -> tuple[Atoms, tuple[float, ...] | None]:
    """A supercell whose defect has pushed its neighbours away, and the site of the defect in Å.

    Unrelaxed, an octahedral interstitial has neighbours at 1.8 Å and forces of 10 eV/Å: nothing a
    training set holds.
    """
    atoms, site = unrelaxed(element, config_type, size)
    atoms.calc = EMT()
    FIRE(atoms, logfile=None).run(fmax=RELAXED_EV_PER_ANGSTROM, steps=MOST_RELAXATION_STEPS)
    atoms.calc = None
    return atoms, site


def unrelaxed(
    element: str, config_type: str, size: tuple[int, int, int]
) -> tuple[Atoms, tuple[float, ...] | None]:
    """A supercell with its defect on ideal positions, and the site of the defect in Å."""
    constant = LATTICE_CONSTANT_ANGSTROM[element]
    atoms = bulk(element, "fcc", a=constant, cubic=True) * size
    site = np.full(3, constant)  # a lattice site away from the cell's faces
    occupant = int(np.linalg.norm(atoms.positions - site, axis=1).argmin())
    half = np.array([constant / 2, 0, 0])
    match config_type:
        case "bulk":
            return atoms, None
        case "vac":
            del atoms[occupant]
        case "sia_octahedral":
            site = site + half
            atoms.append(Atom(element, site))
        case "sia_dumbbell":
            atoms.positions[occupant] = site - half * DUMBBELL_SEPARATION
            atoms.append(Atom(element, site + half * DUMBBELL_SEPARATION))
        case _:
            raise ValueError(f"{config_type}: expected one of {sorted(set(CONFIG_TYPES))}")
    return atoms, tuple(site)


def generate(n_structures: int, seed: int = 0) -> list[Atoms]:
    """Labelled structures, made on all cores."""
    wanted = recipes(n_structures, seed)
    # Recipes that share a relaxed supercell go to one process, which relaxes it once.
    order = sorted(range(n_structures), key=lambda i: (wanted[i].element, wanted[i].config_type))
    workers = min(os.cpu_count() or 1, n_structures)
    share = -(-n_structures // (2 * workers))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        built = pool.map(build, [wanted[i] for i in order], chunksize=share)
        made = dict(zip(order, built, strict=True))
    return [made[i] for i in range(n_structures)]


def write_files(structures: Sequence[Atoms], folder: Path) -> list[Path]:
    """Write structures as a group would have left them: copper in a file per kind, nickel packed.

    ASE writes extended XYZ with eight digits after the point.
    """
    from ase.io import write

    folder.mkdir(parents=True, exist_ok=True)
    files: dict[Path, list[Atoms]] = {}
    for atoms in structures:
        kind = str(atoms.info["config_type"]).partition("_")[0]
        name = f"Cu-{kind}.extxyz" if "Cu" in atoms.symbols else "Ni.extxyz.gz"
        files.setdefault(folder / name, []).append(atoms)
    for path, frames in files.items():
        write(path, frames, format="extxyz")
    return sorted(files)
