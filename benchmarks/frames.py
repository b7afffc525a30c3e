"""Extended XYZ files to read: made up once, and kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from numpy.typing import NDArray

from benchmarks.setting import Setting

ATOMS_SMALL = 27
ATOMS_LARGE = 27_000
ANGSTROM_PER_ATOM = 2.5
BODIES = 2_000  # different frames in a long file; each comes again with another first atom
LINES_AT_ONCE = 10_000
PROPERTIES = "species:S:1:pos:R:3:forces:R:3"


def small_frames(setting: Setting) -> tuple[Path, int]:
    """Frames of 27 atoms as ASE writes them: the file, and how many there are."""
    n_frames = setting.size(20_000, 50)
    return _ase_file(setting, n_frames, ATOMS_SMALL), n_frames


def large_frames(setting: Setting) -> tuple[Path, int]:
    """Frames of 27,000 atoms as ASE writes them: the file, and how many there are."""
    n_frames = setting.size(60, 2)
    return _ase_file(setting, n_frames, setting.size(ATOMS_LARGE, 270)), n_frames


def long_file(setting: Setting) -> tuple[Path, int]:
    """A file of 2 GiB with frames of 27 atoms, no two of them equal, and how many there are."""
    random = np.random.default_rng(3)
    bodies = ["".join(_lines(random, ATOMS_SMALL - 1)) for _ in range(setting.size(BODIES, 5))]
    frame_bytes = len("".join(_frame(0, bodies[0])))
    n_frames = math.ceil(setting.size(2 << 30, 200_000) / frame_bytes)

    def write_frames(file: TextIO) -> None:
        for i in range(n_frames):
            file.writelines(_frame(i, bodies[i % len(bodies)]))

    return _kept(setting, f"long-{n_frames}.extxyz", write_frames), n_frames


def huge_frame(setting: Setting) -> tuple[Path, int]:
    """One frame of a million atoms: the file, and its number of atoms."""
    n_atoms = setting.size(1_000_000, 3_000)

    def write_frame(file: TextIO) -> None:
        random = np.random.default_rng(4)
        file.write(f"{n_atoms}\n{_comment(0, n_atoms)}\n")
        for start in range(0, n_atoms, LINES_AT_ONCE):
            file.writelines(_lines(random, min(LINES_AT_ONCE, n_atoms - start)))

    return _kept(setting, f"huge-{n_atoms}.extxyz", write_frame), n_atoms


def random_atoms(random: np.random.Generator, n_atoms: int) -> Atoms:
    """A box of copper and nickel at random places, with random labels and a config_type."""
    edge = ANGSTROM_PER_ATOM * n_atoms ** (1 / 3)
    atoms = Atoms(
        numbers=random.choice([28, 29], n_atoms),
        positions=random.uniform(0, edge, (n_atoms, 3)),
        cell=[edge] * 3,
        pbc=True,
        info={"config_type": str(random.choice(["bulk", "vac", "sia"]))},
    )
    atoms.calc = SinglePointCalculator(
        atoms,
        energy=float(random.normal()) - 4.0 * n_atoms,
        forces=random.normal(size=(n_atoms, 3)),
        stress=random.normal(scale=0.01, size=6),
    )
    return atoms


def _ase_file(setting: Setting, n_frames: int, n_atoms: int) -> Path:
    def write_frames(file: TextIO) -> None:
        random = np.random.default_rng(n_atoms)
        for _ in range(n_frames):
            write(file, random_atoms(random, n_atoms), format="extxyz")

    return _kept(setting, f"ase-{n_frames}x{n_atoms}.extxyz", write_frames)


def _kept(setting: Setting, name: str, write_to: Callable[[TextIO], None]) -> Path:
    """The file of that name, written if it is not there yet."""
    path = setting.folder / name
    if not path.exists():
        setting.folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("w") as file:
            write_to(file)
        unfinished.rename(path)
    return path


def _frame(number: int, body: str) -> tuple[str, ...]:
    """The lines of a frame whose first atom lies where no other frame has one."""
    x = number * 1e-5
    first = f"Cu{x:17.8f}{0:17.8f}{0:17.8f}{x:17.8f}{0:17.8f}{0:17.8f}\n"
    return (f"{ATOMS_SMALL}\n", _comment(number, ATOMS_SMALL), "\n", first, body)


def _comment(number: int, n_atoms: int) -> str:
    edge = ANGSTROM_PER_ATOM * n_atoms ** (1 / 3)
    cell = f"{edge} 0.0 0.0 0.0 {edge} 0.0 0.0 0.0 {edge}"
    return (
        f'Lattice="{cell}" Properties={PROPERTIES} config_type=bulk step={number:09} '
        f'energy={-4.0 * n_atoms - number * 1e-6:.8f} pbc="T T T"'
    )


def _lines(random: np.random.Generator, n_atoms: int) -> Iterator[str]:
    edge = ANGSTROM_PER_ATOM * n_atoms ** (1 / 3)
    positions = random.uniform(0, edge, (n_atoms, 3))
    rows: NDArray[np.float64] = np.hstack([positions, random.normal(size=(n_atoms, 3))])
    line = "Cu" + "%17.8f" * 6 + "\n"
    return (line % tuple(row) for row in rows.tolist())
