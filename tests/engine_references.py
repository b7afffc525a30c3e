"""What the packages' own calculators say of a structure, in the names of `Results`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

Reference = dict[str, NDArray[np.float64]]


def reference_of(
    engine: str, path: str, device: str, dtype: str | None, options: dict[str, Any]
) -> Callable[[Atoms], Reference]:
    """What evaluates one structure: energy, forces, stress (6,), and latent.0, latent.1, …"""
    if engine == "mace":
        return _mace(path, device, dtype, options)
    if engine in ("nequip", "allegro"):
        return _nequip(engine, path, device)
    return _ase(path, options)


def _mace(
    path: str, device: str, dtype: str | None, options: dict[str, Any]
) -> Callable[[Atoms], Reference]:
    from mace.calculators import MACECalculator

    calculator = MACECalculator(
        model_paths=path, device=device, default_dtype=dtype or "float64", **options
    )

    def evaluate(atoms: Atoms) -> Reference:
        reference = _of_calculator(atoms, calculator)
        # It divides the virial of a slab by the volume of a cell it stretched.
        cell = calculator._atoms_to_batch(atoms)["cell"].cpu().numpy()
        if atoms.cell.volume > 0:
            reference["stress"] *= abs(np.linalg.det(cell)) / atoms.cell.volume
        both = calculator.get_descriptors(atoms, invariants_only=True)
        reference["latent.0"], reference["latent.1"] = np.hsplit(both, 2)
        return reference

    return evaluate


def _nequip(engine: str, path: str, device: str) -> Callable[[Atoms], Reference]:
    from nequip.integrations.ase import NequIPCalculator

    calculator = NequIPCalculator._from_saved_model(
        path, device=device, chemical_species_to_atom_type_map=True
    )

    first_layer: dict[str, Any] = {}
    if engine == "nequip":
        model = calculator.model.get_submodule("model.func.layer0_convnet.equivariant_nonlin")
        model.register_forward_hook(lambda _, __, out: first_layer.update(features=out.detach()))

    def evaluate(atoms: Atoms) -> Reference:
        reference = _of_calculator(atoms, calculator)
        output = calculator.call_model(calculator.atoms_to_data(atoms))
        if engine == "nequip":
            reference["latent.0"] = first_layer["features"].cpu().numpy()[:, :6]  # 6x0e+6x1o
            reference["latent.1"] = output["node_features"].detach().cpu().numpy()
            return reference
        features = output["edge_features"].detach().cpu().numpy()
        pooled = np.zeros((len(atoms), features.shape[1]))
        np.add.at(pooled, output["edge_index"][0].cpu().numpy(), features)
        reference["latent.0"] = pooled / np.sqrt(2 * 12.0)  # of `engine_recipes`
        return reference

    return evaluate


def _ase(path: str, options: dict[str, Any]) -> Callable[[Atoms], Reference]:
    if path == "ase.calculators.emt:EMT":
        from ase.calculators.emt import EMT

        calculator = EMT(**options)
    else:
        import engine_mace_factory

        calculator = engine_mace_factory.make(**options)
    return lambda atoms: _of_calculator(atoms, calculator)


def _of_calculator(atoms: Atoms, calculator: Any) -> Reference:
    atoms = atoms.copy()
    atoms.calc = calculator
    reference = {
        "energy": np.array(atoms.get_potential_energy()),
        "forces": atoms.get_forces(),
        "stress": np.full(6, np.nan),
    }
    if atoms.pbc.any() and atoms.cell.volume > 0:
        reference["stress"] = atoms.get_stress()
    return reference
