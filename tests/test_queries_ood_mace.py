"""Scores of a real ensemble: four MACE models that went on from one parent."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from ase import Atoms
from compute_samples import make_lake, structures
from scipy.spatial.transform import Rotation
from trained_ensemble import predict_with_members

from queries.ood.result import OodScores
from queries.ood.scoring import score

pytestmark = pytest.mark.slow
VARIANTS = ("as it is", "permuted", "rotated")


def variants(atoms: Atoms, number: int) -> list[Atoms]:
    """A structure, with its atoms in another order, and turned with its cell."""
    random = np.random.default_rng(number)
    permuted = atoms[random.permutation(len(atoms))]
    rotated = atoms.copy()
    turn = Rotation.random(random_state=number).as_matrix()
    rotated.positions = atoms.positions @ turn.T
    rotated.cell = np.asarray(atoms.cell) @ turn.T
    made = [atoms.copy(), permuted, rotated]
    for name, each in zip(VARIANTS, made, strict=True):
        each.info = {"number": number, "variant": name}
    return made


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> OodScores:
    folder = tmp_path_factory.mktemp("ensemble")
    frames = [each for i, atoms in enumerate(structures(8)) for each in variants(atoms, i)]
    lk = make_lake(folder, frames)
    predict_with_members(lk, folder)
    return score(lk, sets=["metals"], groups=["T1"], by_element=True)


@pytest.mark.parametrize("variant", VARIANTS[1:])
@pytest.mark.parametrize(
    "name",
    [
        "latent_variance_trace",
        "latent_variance_trace_max",
        "latent_variance_trace_p95",
        "latent_variance_trace_Cu",
        "energy_disagreement",
        "force_disagreement",
    ],
)
def test_order_and_orientation_leave_the_scores(result: OodScores, variant: str, name: str) -> None:
    one, other = (
        result.scores.filter(variant=each).sort("number")[name].fill_null(0).to_numpy()
        for each in (VARIANTS[0], variant)
    )
    assert len(one) == len(other) == 8
    assert (one > 0).sum() >= 4
    # Latents are kept as float32, and what all share is far larger than where they differ.
    floor = 1e-6 * one.max()
    np.testing.assert_allclose(other, one, rtol=1e-3, atol=floor)


def test_members_differ_and_know_it(result: OodScores) -> None:
    alone = pl.col("n_atoms") == 1  # without neighbours the last layer is zero in all of them
    scored = result.scores.select(alone.alias("alone"), pl.col("latent_variance_trace") > 0)
    assert scored.unique().sort("alone").rows() == [(False, True), (True, False)]
    assert result.scores["force_disagreement"].null_count() == 0
    assert result.selection.n_features == 6
    assert len({member.sha256 for member in result.selection.members}) == 4
    assert result.warnings == ()
