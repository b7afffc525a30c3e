"""Every engine against its package's own calculator, and against physics."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import engine_structures
import numpy as np
import pytest
import trained_models
from ase.geometry import complete_cell
from ase.neighborlist import primitive_neighbor_list
from engine_jobs import ENGINES, Arrays, load, run_driver
from numpy.typing import NDArray

from compute.jobs.devices import count_gpus

NAMES = list(engine_structures.tricky_structures())
STRUCTURES = list(engine_structures.tricky_structures().values())
N_ATOMS = [len(atoms) for atoms in STRUCTURES]
IS_PERIODIC = np.array([atoms.pbc.any() and atoms.cell.volume > 0 for atoms in STRUCTURES])
QUANTITIES = ("energy", "forces", "stress", "latent.0", "latent.1")

# Relative to the greatest value of a quantity over all structures: energies of a few eV, forces of
# tenths of eV/Å.
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}


DOUBLE = [name for name in ENGINES if not name.endswith("float32")]
TORCH = ["mace", "mace-float32", "nequip", "allegro"]
every_engine = pytest.mark.parametrize("name", ENGINES)


@pytest.fixture(scope="session")
def conformance(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Arrays]:
    """What the driver says of an engine, once for all tests and all processes of pytest."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    @cache
    def measure(name: str) -> Arrays:
        environment, make_job = ENGINES[name]
        job = make_job() | {"tasks": tasks_of(name)}
        folder = shared / f"engine-{name}"
        with trained_models.lock(folder):
            if not (folder / "arrays.npz").exists():
                run_driver("conformance", environment, job, folder)
            return load(folder)

    return measure


def tasks_of(name: str) -> list[str]:
    """What the driver does besides; running out of memory last."""
    tasks = ["derivatives"] * (name in DOUBLE) + ["apart", "out_of_memory"] * (name in TORCH)
    return sorted(tasks)


def dtype_of(name: str) -> str:
    return "float32" if name.endswith("float32") else "float64"


def assert_same(actual: NDArray[Any], expected: NDArray[Any], dtype: str) -> None:
    """Equal within the tolerance, relative to the greatest value there is."""
    assert actual.shape == expected.shape
    assert np.array_equal(np.isnan(actual), np.isnan(expected))
    scale = float(np.nanmax(np.abs(expected), initial=0.0))
    assert scale > 0
    difference = float(np.nanmax(np.abs(actual - expected)))
    assert difference <= TOLERANCE[dtype] * scale, difference / scale


def together(arrays: Arrays, prefix: str, quantity: str) -> NDArray[Any]:
    """A quantity of all structures, from arrays of each."""
    each = [arrays[f"{prefix} {i}/{quantity}"] for i in range(len(STRUCTURES))]
    return np.concatenate([np.atleast_1d(values) for values in each])


def quantities(arrays: Arrays) -> list[str]:
    return [name for name in QUANTITIES if f"all/{name}" in arrays]


@every_engine
def test_a_batch_is_what_the_package_says_of_each_structure(
    name: str, conformance: Callable[[str], Arrays]
) -> None:
    arrays = conformance(name)
    for quantity in quantities(arrays):
        expected = together(arrays, "reference", quantity)
        expected = expected.reshape(arrays[f"all/{quantity}"].shape)
        assert_same(arrays[f"all/{quantity}"], expected, dtype_of(name))


@every_engine
def test_batching_and_order_change_nothing(name: str, conformance: Callable[[str], Arrays]) -> None:
    arrays = conformance(name)
    starts = np.concatenate(([0], np.cumsum(N_ATOMS[::-1])))
    atom_order = np.concatenate(
        [np.arange(starts[-2 - i], starts[-1 - i]) for i in range(len(N_ATOMS))]
    )
    for quantity in quantities(arrays):
        whole = arrays[f"all/{quantity}"]
        alone = together(arrays, "alone", quantity).reshape(whole.shape)
        assert_same(whole, alone, dtype_of(name))
        is_per_atom = len(whole) == sum(N_ATOMS)
        order = atom_order if is_per_atom else np.arange(len(STRUCTURES))[::-1]
        assert_same(whole, arrays[f"reversed/{quantity}"][order], dtype_of(name))


@every_engine
def test_without_forces_the_rest_is_the_same(
    name: str, conformance: Callable[[str], Arrays]
) -> None:
    arrays = conformance(name)
    assert "without forces/forces" not in arrays
    assert "without forces/stress" not in arrays
    for quantity in set(quantities(arrays)) - {"forces", "stress"}:
        expected = arrays[f"all/{quantity}"]
        assert_same(arrays[f"without forces/{quantity}"], expected, dtype_of(name))


@every_engine
def test_there_is_a_stress_where_there_is_a_volume(
    name: str, conformance: Callable[[str], Arrays]
) -> None:
    stress = conformance(name)["all/stress"]
    assert np.array_equal(np.isfinite(stress).all(axis=1), IS_PERIODIC)
    assert np.isnan(stress[~IS_PERIODIC]).all()


@every_engine
def test_rotation_turns_forces_and_leaves_scalars(
    name: str, conformance: Callable[[str], Arrays]
) -> None:
    arrays = conformance(name)
    dtype = dtype_of(name)
    for quantity in set(quantities(arrays)) - {"forces", "stress"}:
        assert_same(arrays[f"rotated/{quantity}"], arrays[f"all/{quantity}"], dtype)
    turned = arrays["all/forces"] @ arrays["rotation"].T
    assert_same(arrays["rotated/forces"], turned, dtype)


@every_engine
def test_lattice_vectors_leave_everything(name: str, conformance: Callable[[str], Arrays]) -> None:
    energy = conformance(name)["all/energy"]
    inside, outside = energy[NAMES.index("triclinic")], energy[NAMES.index("outside")]
    assert_same(outside[np.newaxis], inside[np.newaxis], dtype_of(name))


@pytest.mark.parametrize("name", DOUBLE)
def test_forces_are_minus_the_gradient_of_the_energy(
    name: str, conformance: Callable[[str], Arrays]
) -> None:
    arrays = conformance(name)
    for structure in engine_structures.DISPLACED:
        forces = atoms_of(structure, arrays["all/forces"])
        slopes = _slopes(arrays[f"displaced/{structure}"]).reshape(-1, 3)
        assert np.abs(slopes).max() > 1e-3
        assert np.allclose(forces, -slopes, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", DOUBLE)
def test_stress_is_the_derivative_by_strain(
    name: str, conformance: Callable[[str], Arrays]
) -> None:
    arrays = conformance(name)
    for structure in engine_structures.STRAINED:
        if (structure, name) == ("slab", "ase-file"):
            continue  # MACE's calculator divides the virial by another volume than the cell's
        at = NAMES.index(structure)
        slopes = _slopes(arrays[f"strained/{structure}"]) / STRUCTURES[at].cell.volume
        assert np.abs(slopes).max() > 1e-5
        assert np.allclose(arrays["all/stress"][at], slopes, rtol=1e-5, atol=1e-9)


def atoms_of(structure: str, values: NDArray[Any]) -> NDArray[Any]:
    at = NAMES.index(structure)
    return values[sum(N_ATOMS[:at]) : sum(N_ATOMS[: at + 1])]


def _slopes(energies: NDArray[np.float64]) -> NDArray[np.float64]:
    forth, back = energies.reshape(-1, 2).T
    return (forth - back) / (2 * engine_structures.STEP)


@pytest.mark.parametrize("name", TORCH)
def test_a_structure_without_a_result_spoils_no_other(
    name: str, conformance: Callable[[str], Arrays]
) -> None:
    arrays = conformance(name)
    bad_atoms = slice(3, 5)  # two at one place, after the three of the triclinic cell
    assert np.isnan(arrays["mixed/forces"][bad_atoms]).all()
    for quantity in ("energy", "forces", "stress", "latent.0"):
        bad = bad_atoms if len(arrays[f"mixed/{quantity}"]) > 5 else 1
        others = np.delete(arrays[f"mixed/{quantity}"], bad, axis=0)
        assert_same(others, arrays[f"good/{quantity}"], dtype_of(name))


@pytest.mark.parametrize("name", TORCH)
def test_an_engine_goes_on_after_it_ran_out_of_memory(
    name: str, conformance: Callable[[str], Arrays]
) -> None:
    arrays = conformance(name)
    assert "The batch does not fit into the memory of cpu" in str(arrays["message"])
    assert np.array_equal(arrays["before/forces"], arrays["after/forces"])


@pytest.mark.gpu
@pytest.mark.parametrize("name", TORCH)
def test_a_gpu_says_the_same(
    name: str, conformance: Callable[[str], Arrays], tmp_path: Path
) -> None:
    if count_gpus() == 0:
        pytest.skip("no NVIDIA GPU here")
    environment, make_job = ENGINES[name]
    job = make_job() | {"device": "cuda", "tasks": ["out_of_memory"]}
    arrays = run_driver("conformance", environment, job, tmp_path)
    on_cpu = conformance(name)
    for quantity in quantities(on_cpu):
        assert_same(arrays[f"all/{quantity}"], on_cpu[f"all/{quantity}"], dtype_of(name))
    assert "memory of cuda:0" in str(arrays["message"])


USE_OF_THE_SECOND = """
import torch
from compute.engines.torch_device import TorchDevice
device = TorchDevice("cuda")
torch.empty(2**28, device="cuda")
device.place(torch.nn.Linear(1, 1))
print(device.memory_bytes()[0])
"""


@pytest.mark.gpu
def test_memory_of_the_model_before_is_not_that_of_the_next() -> None:
    if count_gpus() == 0:
        pytest.skip("no NVIDIA GPU here")
    python = trained_models.environment_python("mace")
    words = [str(python), "-c", USE_OF_THE_SECOND]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2**20


def test_neighbours_are_those_ase_finds(tmp_path: Path) -> None:
    found = run_driver("edges", "mace", {}, tmp_path)
    n_edges = 0
    for i, (atoms, r_max) in enumerate(engine_structures.random_structures(150)):
        cell = complete_cell(atoms.cell.array)
        centre, neighbour, shifts = primitive_neighbor_list(
            "ijS", atoms.pbc, cell, atoms.positions, r_max
        )
        expected = np.column_stack([centre, neighbour, shifts])
        assert np.array_equal(_sorted(found[str(i)]), _sorted(expected))
        assert np.array_equal(_sorted(found[f"{i} in a group"]), _sorted(expected))
        n_edges += len(expected)
    assert n_edges > 10_000


def _sorted(rows: NDArray[Any]) -> NDArray[Any]:
    return rows[np.lexsort(rows.T[::-1])]
