"""Networks of a middling size whose weights are as they were drawn: how fast they are is the same.

``python -m benchmarks.made_networks KIND FILE SYMBOLS R_MAX [SEED]`` writes one.
The environment is that of its engine.
KIND is mace, mace-small, nequip or allegro; the seed is that of a MACE.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MACE_CHANNELS = 64
SMALL_IRREPS = "128x0e"
NEQUIP_CHANNELS = 32


def make_mace(
    file: Path, symbols: list[str], r_max: float, irreps: str, *, order: int = 2, seed: int = 1
) -> None:
    """As many layers as the order of the correlation and of the harmonics; float32."""
    import mace  # noqa: F401 - before e3nn
    import numpy as np
    import torch
    from ase.data import atomic_numbers
    from e3nn.o3 import Irreps
    from mace import modules

    torch.manual_seed(seed)
    torch.set_default_dtype(torch.float32)
    numbers = sorted(atomic_numbers[symbol] for symbol in symbols)
    interaction = modules.interaction_classes["RealAgnosticResidualInteractionBlock"]
    model = modules.ScaleShiftMACE(
        r_max=r_max,
        num_bessel=8,
        num_polynomial_cutoff=5,
        max_ell=order,
        interaction_cls=interaction,
        interaction_cls_first=interaction,
        num_interactions=order,
        num_elements=len(numbers),
        hidden_irreps=Irreps(irreps),
        MLP_irreps=Irreps("16x0e"),
        gate=torch.nn.functional.silu,
        atomic_energies=np.zeros(len(numbers)),
        avg_num_neighbors=20.0,
        atomic_numbers=numbers,
        correlation=order,
        radial_type="bessel",
        atomic_inter_scale=1.0,
        atomic_inter_shift=0.0,
    )
    torch.save(model, file)


def make_nequip(engine: str, file: Path, symbols: list[str], r_max: float) -> None:
    """A NequIP or Allegro by one step of training, because checkpoints are made so."""
    import numpy as np
    from ase import Atoms
    from ase.io import write

    folder = file.parent.absolute() / f"{file.stem}-training"
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    for _ in range(4):
        atoms = Atoms(symbols, positions=2.0 * np.arange(3 * len(symbols)).reshape(-1, 3) / 3)
        atoms.info["REF_energy"] = float(random.normal())
        atoms.arrays["REF_forces"] = random.normal(size=(len(atoms), 3))
        write(folder / "train.xyz", atoms, append=True, format="extxyz")
    (folder / "train.yaml").write_text(
        json.dumps(training_config(folder, network(engine, symbols, r_max), symbols, r_max))
    )
    program = Path(sys.executable).with_name("nequip-train")
    words = [str(program), "-cp", str(folder), "-cn", "train", f"hydra.run.dir={folder}"]
    subprocess.run(words, check=True, capture_output=True)
    (folder / "last.ckpt").rename(file)


def network(engine: str, symbols: list[str], r_max: float) -> dict[str, object]:
    """A NequIP of four layers and l_max 2, or an Allegro of two and l_max 1; float32."""
    common = {
        "seed": 1,
        "model_dtype": "float32",
        "type_names": symbols,
        "r_max": r_max,
        "parity": False,
        "avg_num_neighbors": 20.0,
        "per_type_energy_scales": 1.0,
        "per_type_energy_shifts": 0.0,
    }
    if engine == "nequip":
        return {
            "_target_": "nequip.model.NequIPGNNModel",
            "num_layers": 4,
            "l_max": 2,
            "num_features": NEQUIP_CHANNELS,
            "radial_mlp_depth": 1,
            "radial_mlp_width": 32,
            **common,
        }
    return {
        "_target_": "allegro.model.AllegroModel",
        "num_layers": 2,
        "l_max": 1,
        "num_scalar_features": 32,
        "num_tensor_features": 16,
        "allegro_mlp_hidden_layers_width": 32,
        "readout_mlp_hidden_layers_width": 16,
        "scalar_embed_mlp_hidden_layers_width": 32,
        "radial_chemical_embed": {
            "_target_": "allegro.nn.TwoBodyBesselScalarEmbed",
            "num_bessels": 8,
        },
        **common,
    }


def training_config(
    folder: Path, model: dict[str, object], symbols: list[str], r_max: float
) -> dict[str, object]:
    """What ``nequip-train`` reads."""
    transforms = "nequip.data.transforms"
    return {
        "run": ["train"],
        "data": {
            "_target_": "nequip.data.datamodule.ASEDataModule",
            "seed": 1,
            "split_dataset": {"file_path": str(folder / "train.xyz"), "train": 2, "val": 2},
            "ase_args": {"format": "extxyz"},
            "key_mapping": {"REF_energy": "total_energy", "REF_forces": "forces"},
            "transforms": [
                {
                    "_target_": f"{transforms}.ChemicalSpeciesToAtomTypeMapper",
                    "model_type_names": symbols,
                },
                {"_target_": f"{transforms}.NeighborListTransform", "r_max": r_max},
            ],
            "train_dataloader": {"_target_": "torch.utils.data.DataLoader", "batch_size": 2},
            "val_dataloader": {"_target_": "torch.utils.data.DataLoader", "batch_size": 2},
        },
        "trainer": {
            "_target_": "lightning.Trainer",
            "accelerator": "cpu",
            "max_epochs": 1,
            "logger": False,
            "enable_progress_bar": False,
            "callbacks": [
                {
                    "_target_": "lightning.pytorch.callbacks.ModelCheckpoint",
                    "dirpath": str(folder),
                    "save_last": True,
                }
            ],
        },
        "training_module": {
            "_target_": "nequip.train.NequIPLightningModule",
            "model": model,
            "loss": {"_target_": "nequip.train.EnergyForceLoss"},
            "val_metrics": {"_target_": "nequip.train.EnergyForceMetrics"},
            "optimizer": {"_target_": "torch.optim.Adam", "lr": 0.001},
        },
    }


def main(kind: str, name: str, elements: str, cutoff: str, seed: str = "1") -> None:
    """Write one; all words as they stand on the command line."""
    file, symbols, r_max = Path(name), elements.split(","), float(cutoff)
    if kind == "mace":
        irreps = f"{MACE_CHANNELS}x0e+{MACE_CHANNELS}x1o"
        make_mace(file, symbols, r_max, irreps, seed=int(seed))
    elif kind == "mace-small":
        make_mace(file, symbols, r_max, SMALL_IRREPS, order=1, seed=int(seed))
    else:
        make_nequip(kind, file, symbols, r_max)


if __name__ == "__main__":
    main(*sys.argv[1:])
