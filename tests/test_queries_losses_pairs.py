"""Tests of pairs of losses, made from errors by hand, without a lake."""

from __future__ import annotations

import numpy as np
import polars as pl
import polars.testing
import pytest

from queries.losses.pairs import MEASURES, paired_tests, seed_tests, unpaired_tests

LOSSES = ("A", "B", "C", "D")
SHIFTS = {"A": 0.0, "B": 0.3, "C": 0.6, "D": 2.0}
TESTS = {
    "unpaired": (unpaired_tests, "p_value", "significant"),
    "paired": (lambda errors: paired_tests(errors, 0), "p_permutation_holm", "is_significant"),
    "of seeds": (seed_tests, "p_holm", "is_significant"),
}


def errors(seed: int = 0, n_structures: int = 20, n_seeds: int = 4) -> pl.DataFrame:
    """Errors of four losses, the last far from the others."""
    random = np.random.default_rng(seed)
    rows = [
        {
            "loss": loss,
            "model": f"{loss}{number}",
            "structure_idx": i,
            **{measure: float(random.normal(SHIFTS[loss], 0.5)) for measure in MEASURES},
        }
        for loss in LOSSES
        for number in range(n_seeds)
        for i in range(n_structures)
    ]
    return pl.DataFrame(rows)


@pytest.mark.parametrize("name", TESTS)
def test_what_is_significant_is_below_5_percent(name: str) -> None:
    test, p_value, judged = TESTS[name]
    few = pl.concat([test(errors(seed, 12)) for seed in range(6)])
    between = few.filter((pl.col(p_value) > 0.05) & (pl.col(p_value) < 0.4))
    assert len(between) > 0
    assert not between[judged].any()
    below = few.filter(pl.col(p_value) < 0.05)
    assert len(below) > 0
    assert below[judged].all()


def test_pairs_are_in_alphabetical_order_and_named() -> None:
    shuffled = errors().sample(fraction=1.0, shuffle=True, seed=1)
    names = ["A vs B", "A vs C", "A vs D", "B vs C", "B vs D", "C vs D"]
    assert unpaired_tests(shuffled)["comparison"].to_list() == names
    for test in (paired_tests(shuffled, 0), seed_tests(shuffled)):
        assert test["comparison"].to_list() == names * len(MEASURES)
        assert test["measure"].unique(maintain_order=True).to_list() == list(MEASURES)
        assert (test["loss_1"] < test["loss_2"]).all()


def test_p_values_are_corrected_over_the_pairs_of_a_measure_and_not_beyond() -> None:
    whole = paired_tests(errors(), 0)
    for measure in MEASURES:
        part = whole.filter(measure=measure)
        least = part["p_t"].min()
        assert part["p_t_holm"].min() == pytest.approx(least * len(part))
        assert (part["p_t_holm"] >= part["p_t_bh"]).all()
        assert (part["p_t_bh"] >= part["p_t"] * (1 - 1e-12)).all()
        assert part["p_t_bh"].max() == pytest.approx(part["p_t"].max())


def test_the_order_of_rows_does_not_matter() -> None:
    frame = errors()
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=1)
    pl.testing.assert_frame_equal(paired_tests(frame, 3), paired_tests(shuffled, 3))
    pl.testing.assert_frame_equal(seed_tests(frame), seed_tests(shuffled))


def test_seeds_of_a_loss_that_agree_on_structures_are_not_more_structures() -> None:
    """The original's p-value falls when seeds repeat each other; those that pair do not."""
    one = errors(n_seeds=1)
    copies = [one.with_columns((pl.col("loss") + str(k)).alias("model")) for k in range(5)]
    many = pl.concat(copies)
    assert unpaired_tests(many)["p_value"][0] < unpaired_tests(one)["p_value"][0]
    assert unpaired_tests(many)["n1"][0] == 5 * unpaired_tests(one)["n1"][0]
    statistics = ["p_t", "p_permutation", "effect_size", "n_structures"]
    pl.testing.assert_frame_equal(
        paired_tests(many, 0).select(statistics), paired_tests(one, 0).select(statistics)
    )


def test_a_structure_that_one_loss_has_no_value_of_is_not_paired() -> None:
    frame = errors().with_columns(
        pl.when((pl.col("loss") == "A") & (pl.col("structure_idx") < 3))
        .then(None)
        .otherwise("defect_mae")
        .alias("defect_mae")
    )
    counts = paired_tests(frame, 0).filter(measure="defect_mae")
    assert dict(counts.select("comparison", "n_structures").rows()) == {
        "A vs B": 17,
        "A vs C": 17,
        "A vs D": 17,
        "B vs C": 20,
        "B vs D": 20,
        "C vs D": 20,
    }
    assert unpaired_tests(frame)["n1"].to_list()[:1] == [17 * 4]
