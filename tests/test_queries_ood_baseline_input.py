"""What a baseline is fitted on or read from, and what of it is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from baseline_samples import ORIGIN, fitted_baseline, vectors

from lake.errors import InvalidInputError, NotFoundError
from queries.ood.baseline import Settings, fit_baseline, read_baseline
from queries.ood.baseline.distances import distances_of
from queries.ood.baseline.fitting import caveats

baseline = fitted_baseline


def test_what_is_no_baseline_is_refused(tmp_path: Path):
    with pytest.raises(NotFoundError, match="is not there"):
        read_baseline(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "empty.npz").write_bytes(b"")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    np.savez(tmp_path / "pickle.npz", facts=np.array([{}], dtype=object))
    np.savez(tmp_path / "newer.npz", facts=np.array('{"format": "atomlake baseline 9"}'))
    for name in ("text", "empty", "other", "pickle", "newer"):
        with pytest.raises(InvalidInputError, match="not the models of a baseline"):
            read_baseline(tmp_path / f"{name}.npz")


def test_a_small_baseline_lowers_what_it_must_and_says_so():
    fitted = fit_baseline(np.arange(4), vectors(4), ORIGIN)
    assert fitted.n_neighbours == 3
    assert fitted.mixture.means.shape == (4, 3)
    told = " ".join(caveats(fitted))
    assert "to the 3 nearest, not the 5" in told
    assert "4 Gaussians over 3 components, not 5 over 16" in told
    found = distances_of(fitted, np.arange(4), vectors(4))
    assert np.isfinite(found.to_numpy()).all()


@pytest.mark.parametrize(
    ("identities", "given", "said"),
    [
        ([1], vectors(1), "has 1 structures"),
        ([1, 2, 3], np.ones((3, 4)), "one and the same embedding"),
        ([1, 1, 2], vectors(3), "names a structure twice"),
        ([1, 2], np.array([[1.0, np.nan], [0.0, 1.0]]), "not finite: 1"),
        ([1, 2], np.array([[1.0, 0.0], [np.inf, 1.0]]), "not finite: 2"),
    ],
)
def test_baselines_that_say_nothing_are_refused(identities, given, said):
    with pytest.raises(InvalidInputError, match=said):
        fit_baseline(np.array(identities), given, ORIGIN)


@pytest.mark.parametrize(
    "wrong",
    [
        {"explained": 0.0},
        {"explained": 1.5},
        {"n_neighbours": 0},
        {"n_gaussians": 0},
        {"seed": -1},
        {"share_uncertain": 1.1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        fit_baseline(np.arange(20), vectors(20), ORIGIN, Settings(**wrong))


def test_embeddings_of_another_width_are_refused(baseline):
    with pytest.raises(InvalidInputError, match="8 features, the baseline T1 32"):
        distances_of(baseline, np.arange(3), np.zeros((3, 8)))
