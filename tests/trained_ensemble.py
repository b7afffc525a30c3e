"""Four tiny MACE models that went on from one parent, as members of a lake's ensemble."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trained_models

from compute import Request, run
from compute.environments.registry import add_environment
from compute.models.registration import add_model
from lake.lake import Lake

SEEDS = (1, 2, 3, 4)


def predict_with_members(lk: Lake, folder: Path, dataset: str = "metals") -> None:
    """Register the members as the group ``T1``, and compute latents and predictions of all."""
    trained_models.mace_model()  # the parent, before its members ask for it at once
    with ThreadPoolExecutor(2) as trainings:
        members = list(trainings.map(trained_models.mace_member, SEEDS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATOMLAKE_ENVIRONMENTS", str(folder / "environments.json"))
        add_environment("mace", str(trained_models.environment_python("mace")))
        for seed, path in zip(SEEDS, members, strict=True):
            add_model(
                lk,
                f"w{seed}",
                engine="mace",
                path=str(path),
                group="T1",
                seed=seed,
                parent="base",
                environment="mace",
            )
        run(lk, Request("predict", [dataset], ["w*"], latents="last"))
