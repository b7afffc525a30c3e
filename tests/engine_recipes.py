"""What the tiny models of the tests are trained on, and how."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write

Recipe = dict[str, Any]

SYMBOLS = ["Cu", "Ni"]
R_MAX = 4.0
TRAINING_DATA = "EMT, 14 cells and 10 molecules, 1"  # another name trains every model anew


def training_structures() -> list[Atoms]:
    """Fcc cells with a vacancy, and molecules, the same ones every time."""
    rng = np.random.default_rng(7)
    cell = bulk("Cu", "fcc", a=3.58, cubic=True) * (2, 1, 1)
    corners = [(0, 0, 0), (2.4, 0, 0), (1.2, 2.1, 0), (1.2, 0.7, 2.0)]
    structures = [cell[:-1] for _ in range(14)]
    structures += [Atoms(["Cu"] * n, positions=corners[:n]) for n in (2, 3, 4, 2, 3, 4, 2, 3, 4, 2)]
    for atoms in structures:
        atoms.symbols[:] = rng.choice(SYMBOLS, size=len(atoms))
        atoms.positions += rng.normal(scale=0.08, size=atoms.positions.shape)
    return structures


def write_training_data(path: Path) -> Path:
    """Label the structures by EMT and write them as extended XYZ."""
    for atoms in training_structures():
        atoms.calc = EMT()
        atoms.info["REF_energy"] = atoms.get_potential_energy()
        atoms.arrays["REF_forces"] = atoms.get_forces()
        if atoms.pbc.any():
            atoms.info["REF_stress"] = atoms.get_stress(voigt=False)
        atoms.calc = None
        write(path, atoms, format="extxyz", append=True)
    return path


def mace_options(seed: int, dtype: str) -> Recipe:
    """Options of ``mace_run_train``."""
    return {
        "name": "tiny",
        "seed": seed,
        "default_dtype": dtype,
        "device": "cpu",
        "model": "MACE",
        "hidden_irreps": "6x0e+6x1o",
        "MLP_irreps": "4x0e",
        "max_ell": 2,
        "correlation": 2,
        "num_interactions": 2,
        "r_max": R_MAX,
        "loss": "weighted",
        "E0s": "average",
        "energy_key": "REF_energy",
        "forces_key": "REF_forces",
        "stress_key": "REF_stress",
        "batch_size": 4,
        "max_num_epochs": 2,
        "plot": False,
    }


def mace_member_options(seed: int) -> Recipe:
    """Options to go on from another model, whose architecture is the same."""
    return {
        **mace_options(seed, "float64"),
        "name": "member",
        "E0s": "foundation",
        "multiheads_finetuning": False,
        "lr": 0.002,
        "max_num_epochs": 1,
    }


def mace_command(options: Recipe, heads: Sequence[str], data: Path) -> list[str]:
    """Arguments of ``mace_run_train``."""
    source = {"train_file": str(data), "valid_fraction": 0.2}
    more = {"heads": repr(dict.fromkeys(heads, source))} if heads else source
    folder = {"work_dir": str(data.parent)}
    return [f"--{name}={value}" for name, value in {**options, **more, **folder}.items()]


def nequip(seed: int, dtype: str, per_type_cutoff: bool) -> Recipe:
    """A NequIP model; with a cutoff per pair of types nickel sees less far than copper."""
    cutoffs = {"per_edge_type_cutoff": {"Cu": R_MAX, "Ni": {"Cu": 3.5, "Ni": 3.0}}}
    return {
        "_target_": "nequip.model.NequIPGNNModel",
        **_common(seed, dtype),
        **(cutoffs if per_type_cutoff else {}),
        "num_layers": 2,
        "l_max": 1,
        "parity": True,
        "num_features": 6,
        "radial_mlp_depth": 1,
        "radial_mlp_width": 8,
    }


def allegro(seed: int, dtype: str) -> Recipe:
    """An Allegro model."""
    return {
        "_target_": "allegro.model.AllegroModel",
        **_common(seed, dtype),
        "num_layers": 2,
        "l_max": 1,
        "num_scalar_features": 8,
        "num_tensor_features": 4,
        "allegro_mlp_hidden_layers_width": 8,
        "readout_mlp_hidden_layers_width": 4,
        "scalar_embed_mlp_hidden_layers_width": 8,
        "radial_chemical_embed": {
            "_target_": "allegro.nn.TwoBodyBesselScalarEmbed",
            "num_bessels": 8,
        },
    }


def _common(seed: int, dtype: str) -> Recipe:
    return {
        "seed": seed,
        "model_dtype": dtype,
        "type_names": SYMBOLS,
        "r_max": R_MAX,
        "avg_num_neighbors": 12.0,
        "per_type_energy_scales": 1.0,
        "per_type_energy_shifts": 0.1,
    }


def nequip_config(model: Recipe, data: Path) -> Recipe:
    """The configuration ``nequip-train`` reads."""
    checkpoint = "lightning.pytorch.callbacks.ModelCheckpoint"
    return {
        "run": ["train"],
        "data": _nequip_data(data),
        "trainer": {
            "_target_": "lightning.Trainer",
            "accelerator": "cpu",
            "max_epochs": 2,
            "logger": False,
            "enable_progress_bar": False,
            "callbacks": [{"_target_": checkpoint, "dirpath": str(data.parent), "save_last": True}],
        },
        "training_module": {
            "_target_": "nequip.train.NequIPLightningModule",
            "model": model,
            "loss": {"_target_": "nequip.train.EnergyForceLoss"},
            "val_metrics": {"_target_": "nequip.train.EnergyForceMetrics"},
            "optimizer": {"_target_": "torch.optim.Adam", "lr": 0.01},
        },
    }


def _nequip_data(data: Path) -> Recipe:
    transforms = "nequip.data.transforms"
    loader = {"_target_": "torch.utils.data.DataLoader", "batch_size": 4}
    return {
        "_target_": "nequip.data.datamodule.ASEDataModule",
        "seed": 1,
        "split_dataset": {"file_path": str(data), "train": 20, "val": 4},
        "ase_args": {"format": "extxyz"},
        "key_mapping": {"REF_energy": "total_energy", "REF_forces": "forces"},
        "transforms": [
            {
                "_target_": f"{transforms}.ChemicalSpeciesToAtomTypeMapper",
                "model_type_names": SYMBOLS,
            },
            {"_target_": f"{transforms}.NeighborListTransform", "r_max": R_MAX},
        ],
        "train_dataloader": loader,
        "val_dataloader": loader,
    }
