"""Which structures a rule chooses, and what is said of scores as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from lake.errors import InvalidInputError, NotFoundError
from queries.ood.choosing import Choice, choose, cut_offs, rule_text, with_rank
from queries.ood.sets import choose_sets, parse_set
from queries.ood.summaries import BINS, score_histogram, score_statistics

SCORE = "latent_variance_trace"


def frame(scores: list[float | None], **columns: list[Any]) -> pl.DataFrame:
    n = len(scores)
    given = {
        "set": ["new"] * n,
        "structure_id": list(range(n, 0, -1)),
        "is_candidate": [True] * n,
        SCORE: scores,
    }
    return pl.DataFrame({**given, **columns})


def chosen(rows: pl.DataFrame, baseline: str | None = None, **rule: Any) -> list[int]:
    choice = Choice(**rule)
    choice.check(has_baseline=baseline is not None)
    offs = cut_offs(rows, choice, baseline)
    return choose(with_rank(rows, choice.score), choice, offs)["structure_id"].to_list()


def test_ties_go_by_structure_id() -> None:
    rows = frame([1.0, 2.0, 1.0, 2.0])  # ids 4, 3, 2, 1
    assert chosen(rows) == [1, 3, 2, 4]
    assert with_rank(rows, SCORE)["rank"].to_list() == [4, 2, 3, 1]


def test_negative_ids_come_before_positive_ones() -> None:
    assert chosen(frame([1.0, 1.0], structure_id=[5, -5])) == [-5, 5]


def test_without_a_rule_thirty_are_chosen() -> None:
    assert len(chosen(frame([float(i) for i in range(50)]))) == 30


@pytest.mark.parametrize(("above", "n"), [(0.0, 2), (-1.0, 3), (2.0, 0), (1.5, 1)])
def test_above_is_strict_and_zero_is_a_value(above: float, n: int) -> None:
    assert len(chosen(frame([0.0, 1.0, 2.0]), above=above)) == n


def test_above_takes_all_above_unless_top_says_less() -> None:
    rows = frame([float(i) for i in range(50)])
    assert len(chosen(rows, above=9.0)) == 40
    assert len(chosen(rows, above=9.0, top=5)) == 5


def test_a_quantile_is_that_of_the_baseline() -> None:
    random = np.random.default_rng(0)
    base, new = random.normal(size=200), random.normal(1, size=100)
    rows = frame(
        [*new, *base],
        set=["new"] * 100 + ["old"] * 200,
        is_candidate=[True] * 100 + [False] * 200,
    )
    found = chosen(rows, "old", above_quantile=0.95)
    assert len(found) == int((new > np.quantile(base, 0.95)).sum())
    offs = cut_offs(rows, Choice(above_quantile=0.5), "old")
    expected = {f"q{q} of old": np.quantile(base, q / 100) for q in (50, 90, 95, 99)}
    assert offs == pytest.approx(expected)


def test_a_baseline_is_not_chosen_from() -> None:
    rows = frame([9.0, 1.0], set=["old", "new"], is_candidate=[False, True])
    assert chosen(rows) == [1]
    assert with_rank(rows, SCORE)["rank"].to_list() == [None, 1]


def test_at_most_so_many_of_each_kind_best_first() -> None:
    rows = frame(
        [6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
        facet=["a", "a", "a", "b", None, None],
        strain=[1, 1, 2, 1, 1, 1],
    )
    assert chosen(rows, at_most=1, per=("facet",)) == [6, 3, 2]
    assert chosen(rows, at_most=1, per=("facet", "strain")) == [6, 4, 3, 2]
    assert chosen(rows, at_most=2, per=("facet",), top=3) == [6, 5, 3]


def test_what_has_no_score_is_not_chosen() -> None:
    assert chosen(frame([None, 1.0, float("nan")])) == [2]


def test_a_structure_of_two_sets_is_chosen_once() -> None:
    rows = frame([1.0, 1.0, 2.0], structure_id=[7, 7, 8], set=["a", "b", "b"])
    assert chosen(rows) == [8, 7]
    assert with_rank(rows, SCORE)["rank"].to_list() == [2, 2, 1]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"above": 1.0, "above_quantile": 0.9}, "one cut-off"),
        ({"above_quantile": 95.0}, "from 0 to 1"),
        ({"above_quantile": 0.9}, "of what"),
        ({"at_most": 2}, "belong together"),
        ({"per": ("facet",)}, "belong together"),
        ({"top": 0}, "from 1"),
        ({"at_most": 0, "per": ("a",)}, "from 1"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        chosen(frame([1.0]), **rule)


def test_unknown_columns_are_refused_with_near_ones() -> None:
    with pytest.raises(NotFoundError, match="Did you mean latent_variance_trace"):
        chosen(frame([1.0]), score="latent_variance_trance")
    with pytest.raises(NotFoundError, match="facet"):
        chosen(frame([1.0], facet=["a"]), at_most=1, per=("facets",))
    with pytest.raises(InvalidInputError, match="no number"):
        chosen(frame([1.0]), score="set")


def test_a_quantile_of_nothing_is_refused() -> None:
    rows = frame([1.0, None], set=["new", "old"], is_candidate=[True, False])
    with pytest.raises(InvalidInputError, match="No structure of the baseline old has the score"):
        chosen(rows, "old", above_quantile=0.9)


def test_the_rule_is_a_sentence() -> None:
    assert rule_text(Choice(), {}, None) == (
        "Chosen are at most 30 structures with the greatest latent_variance_trace."
    )
    choice = Choice(above_quantile=0.95, at_most=1, per=("facet", "strain"))
    assert rule_text(choice, {"q95 of T1": 0.5}, "T1") == (
        "Chosen are all structures with a latent_variance_trace above 0.5, the 0.95 quantile of "
        "T1, at most 1 per facet, strain."
    )


def test_statistics_are_those_of_numpy() -> None:
    values = np.random.default_rng(1).lognormal(size=301)
    rows = frame([*values, None], set=["a"] * 300 + ["b"] * 2)
    found = score_statistics(rows, [SCORE], "T1")
    of_a, of_b = found.to_dicts()
    a = values[:300]
    expected = {"mean": a.mean(), "std": a.std(ddof=1)}
    expected |= {f"q{q}": np.percentile(a, q) for q in (50, 90, 95, 99)}
    assert {name: of_a[name] for name in expected} == pytest.approx(expected)
    assert (of_a["ensemble"], of_a["set"], of_a["score"]) == ("T1", "a", SCORE)
    assert (of_a["n_structures"], of_b["n_structures"], of_b["std"]) == (300, 1, None)


def test_bins_are_shared_by_sets_and_lose_nothing() -> None:
    rows = frame([*np.linspace(0, 1, 100), 2.0, 3.0], set=["a"] * 100 + ["b"] * 2)
    found = score_histogram(rows, [SCORE], "T1")
    assert found.group_by("set").agg(pl.col("n_structures").sum()).sort("set").rows() == [
        ("a", 100), ("b", 2),
    ]  # fmt: skip
    edges = found.select("bin", "low", "high").unique().sort("bin")
    assert len(edges) == BINS == 50
    assert (edges["low"][0], edges["high"][-1]) == (0.0, 3.0)
    counts, _ = np.histogram(np.linspace(0, 1, 100), 50, (0, 3))
    assert found.filter(set="a").sort("bin")["n_structures"].to_list() == counts.tolist()


@pytest.mark.parametrize("values", [[0.0, 0.0], [1.0, 1.0 + 1e-16], [1e20, 1e20]])
def test_equal_scores_fall_into_one_bin(values: list[float]) -> None:
    counts = score_histogram(frame([*values]), [SCORE], "T1")["n_structures"]
    assert sorted(counts)[-2:] == [0, 2]


def test_sets_are_named_in_three_ways() -> None:
    assert vars(parse_set("slabs")) == {
        "name": "slabs", "dataset": "slabs", "where": None, "is_candidate": True,
    }  # fmt: skip
    assert parse_set("hot=slabs").dataset == "slabs"
    assert parse_set("hot=slabs: a = 'x:y=z'").where == "a = 'x:y=z'"


@pytest.mark.parametrize("text", ["", "slabs: a = 1", "hot=", "hot=slabs:", "=slabs", "a b=slabs"])
def test_what_names_no_set_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="Expected"):
        parse_set(text)


def test_a_baseline_is_one_of_the_sets_or_its_own() -> None:
    assert [s.is_candidate for s in choose_sets(["a", "b"], "a")] == [True, True]
    assert [s.is_candidate for s in choose_sets(["a", "b"], "c")] == [True, True, False]
    assert len(choose_sets(["x=a: n_atoms > 1"], "x=a: n_atoms > 1")) == 1
    with pytest.raises(InvalidInputError, match="Two sets"):
        choose_sets(["a", "a"], None)
    with pytest.raises(InvalidInputError, match="called as another set"):
        choose_sets(["x=a"], "x=b")
    with pytest.raises(InvalidInputError, match="No set is named"):
        choose_sets([], None)
