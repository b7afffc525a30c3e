"""Structures far from a baseline, told by a real ensemble: four MACE models of one parent."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from compute_samples import make_lake
from scipy.stats import mannwhitneyu
from trained_ensemble import predict_with_members

from queries.ood.choosing import Choice
from queries.ood.result import ALIGNED, OodScores
from queries.ood.scoring import score

pytestmark = pytest.mark.slow
# The models were trained on cells that are rattled by 0.08 Å.
KINDS = {  # number of cells, deviation of the displacements in Å, and scale of lengths
    "base": (60, 0.08, 1.0),
    "near": (20, 0.08, 1.0),
    "rattled": (20, 0.25, 1.0),
    "dense": (20, 0.08, 0.9),
}


def cells(kind: str, seed: int) -> list[Atoms]:
    """Cells with a vacancy, such as the models were trained on, and others."""
    n_cells, displaced_angstrom, scale = KINDS[kind]
    random = np.random.default_rng(seed)
    made = []
    for _ in range(n_cells):
        atoms = (bulk("Cu", "fcc", a=3.58, cubic=True) * (2, 1, 1))[:-1]
        atoms.symbols[:] = random.choice(["Cu", "Ni"], size=len(atoms))
        atoms.positions += random.normal(scale=displaced_angstrom, size=atoms.positions.shape)
        atoms.set_cell(scale * atoms.cell, scale_atoms=True)
        atoms.info = {"kind": kind}
        made.append(atoms)
    return made


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> OodScores:
    folder = tmp_path_factory.mktemp("far")
    lk = make_lake(folder, [atoms for i, kind in enumerate(KINDS) for atoms in cells(kind, i)])
    predict_with_members(lk, folder)
    base, *others = (f"{kind}=metals: info ->> 'kind' = '{kind}'" for kind in KINDS)
    choice = Choice(score=ALIGNED, top=20)
    return score(lk, sets=others, baseline=base, groups=["T1"], choice=choice)


@pytest.mark.parametrize("kind", ["rattled", "dense"])
def test_what_is_far_scores_above_what_is_near(result: OodScores, kind: str) -> None:
    near, far = (result.scores.filter(set=name)[ALIGNED].to_numpy() for name in ("near", kind))
    assert len(near) == len(far) == 20
    # The area under the curve: the chance that one of the far scores above one of the near.
    assert mannwhitneyu(far, near).statistic / (20 * 20) > 0.95


def test_what_is_near_scores_as_the_baseline(result: OodScores) -> None:
    near, base = (result.scores.filter(set=name)[ALIGNED].to_numpy() for name in ("near", "base"))
    assert mannwhitneyu(near, base).pvalue > 0.01


def test_what_is_far_is_chosen(result: OodScores) -> None:
    assert set(result.chosen["set"]) <= {"rattled", "dense"}
    assert len(result.chosen) == 20
    assert result.warnings == ()
