"""Every column of an answer's files, beside the definitions in float64 (see ood_reference)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import ood_reference as reference
import polars as pl
import pytest
from click.testing import CliRunner
from ood_reference_lake import N_FEATURES, SECOND_FILE, Known, make_known, make_lake

from lake.cli import root
from queries.ood.baseline import DISTANCES

VARIANCES = ("trace", "mean", "trace_max", "trace_p95", "trace_Li", "trace_O", "trace_Zr")
OF_PREDICTIONS = ("energy_disagreement", "force_disagreement")
SETS = ("new", "train")


@dataclass(frozen=True, eq=False)
class Answer:
    """The tables of an answer, and what the lake that was asked was made of."""

    known: Known
    folder: Path

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def embeddings(self, name: str) -> tuple[list[int], reference.Floats]:
        ids = self.known.ids[name]
        return ids, np.stack([reference.embedding(self.known.latents[i]) for i in ids])


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    folder = tmp_path_factory.mktemp("reference")
    known = make_known()
    lk = make_lake(folder, known)
    words = ["--lake", lk.storage.uri, "query", "ood", "--set", "new", "--group", "T1"]
    words += ["--baseline", "train", "--by-element", "--by-atom", "--above-quantile", "0.9"]
    words += ["--at-most", "4", "--per", "kind", "--top", "10", "--format", "parquet"]
    words += ["--memory", "16", "--no-figures", "-o", str(folder / "out")]
    done = CliRunner().invoke(root, words, env={"ATOMLAKE": None})
    assert done.exit_code == 0, done.output
    return Answer(known, folder / "out")


@pytest.fixture(scope="module")
def scores(answer: Answer) -> pl.DataFrame:
    return answer.table("scores")


@pytest.fixture(scope="module")
def distances(answer: Answer) -> dict[str, dict[tuple[str, int], float]]:
    """Every distance by set and structure, by its formula or by scikit-learn."""
    fitted_ids, fitted_on = answer.embeddings("train")
    found: dict[str, dict[tuple[str, int], float]] = {name: {} for name in DISTANCES}
    for name in SETS:
        ids, asked = answer.embeddings(name)
        squared = reference.whole_mahalanobis_squared(fitted_on, asked)
        columns = {
            **reference.principal_distances(fitted_on, asked),
            "mahalanobis_unreduced": np.sqrt(squared),
            "mahalanobis_unreduced_squared": squared,
            **reference.neighbour_distances(fitted_on, fitted_ids, asked, ids),
            "negative_log_likelihood": reference.negative_log_likelihood(
                fitted_on, asked, order=np.argsort(fitted_ids)
            ),
        }
        for column, values in columns.items():
            found[column] |= {(name, i): v for i, v in zip(ids, values.tolist(), strict=True)}
    return found


def column_of(scores: pl.DataFrame, name: str) -> dict[tuple[str, int], float | None]:
    return {(s, i): value for s, i, value in scores.select("set", "structure_id", name).rows()}


def test_rows_are_all_structures_of_both_sets_once(answer: Answer, scores: pl.DataFrame) -> None:
    found = sorted(scores.select("set", "structure_id").rows())
    assert found == sorted((name, i) for name in SETS for i in answer.known.ids[name])
    assert scores.filter("is_baseline")["set"].unique().to_list() == ["train"]
    assert scores.filter("is_candidate")["set"].unique().to_list() == ["new"]
    second = scores.filter(source=SECOND_FILE).group_by("set").len().sort("set").rows()
    assert second == [(name, len(answer.known.ids[name]) // 2) for name in SETS]


@pytest.mark.parametrize("name", VARIANCES)
def test_variances_of_latents(answer: Answer, scores: pl.DataFrame, name: str) -> None:
    column = f"latent_variance_{name}"
    expected = {}
    for each, i in scores.select("set", "structure_id").rows():
        of_one = reference.variance_scores(answer.known.latents[i], answer.known.symbols(i))
        expected[each, i] = of_one.get(column)
    check(column_of(scores, column), expected, rel=1e-6)


def test_disagreement_of_energies_and_forces(answer: Answer, scores: pl.DataFrame) -> None:
    known, rows = answer.known, scores.select("set", "structure_id").rows()
    energies = {
        (s, i): reference.energy_disagreement(known.energies[i], len(known.numbers[i]))
        for s, i in rows
    }
    check(column_of(scores, "energy_disagreement"), energies, rel=1e-9)
    forces = {(s, i): reference.force_disagreement(known.forces[i]) for s, i in rows}
    check(column_of(scores, "force_disagreement"), forces, rel=1e-12)


@pytest.mark.parametrize("name", DISTANCES)
def test_distances_from_the_baseline(
    scores: pl.DataFrame, distances: dict[str, dict[tuple[str, int], float]], name: str
) -> None:
    check(column_of(scores, name), distances[name], rel=1e-8)


def test_variances_of_atoms(answer: Answer) -> None:
    known, atoms = answer.known, answer.table("atoms")
    assert len(atoms) == sum(len(known.numbers[i]) for name in SETS for i in known.ids[name])
    for (dataset, i), rows in atoms.group_by("dataset", "structure_id"):
        assert i in known.ids[dataset]
        assert rows["atom"].to_list() == list(range(len(rows)))
        assert rows["number"].to_list() == known.numbers[i].tolist()
        expected = reference.atom_variances(known.latents[i])
        np.testing.assert_allclose(rows["latent_variance_trace"], expected, rtol=1e-6)


def test_the_most_uncertain_atoms_are_of_the_candidates(answer: Answer) -> None:
    """The set has fewer than a thousand atoms: all of them, and none of the baseline alone."""
    known, atoms = answer.known, answer.table("uncertain_atoms")
    expected = [
        (-value, i, place)
        for i in known.ids["new"]
        for place, value in enumerate(reference.atom_variances(known.latents[i]).tolist())
    ]
    assert set(atoms["dataset"]) == {"new"}
    assert len(expected) < 1000
    found = atoms.select("structure_id", "atom").rows()
    assert found == [(i, place) for _, i, place in sorted(expected)]


def test_ranks_go_by_the_score_then_by_the_id(answer: Answer, scores: pl.DataFrame) -> None:
    ids = answer.known.ids["new"]
    values = np.array([reference.atom_variances(answer.known.latents[i]).mean() for i in ids])
    assert scores.filter(set="new")["structure_id"].to_list() == reference.ranking(values, ids)
    assert scores.filter(set="new")["rank"].to_list() == list(range(1, len(ids) + 1))
    assert scores.filter(set="train")["rank"].null_count() == len(answer.known.ids["train"])


def test_the_chosen_by_hand(answer: Answer) -> None:
    """Above the 0.9 quantile of the baseline, at most four of a kind, ten at most."""
    known = answer.known
    value = {i: reference.atom_variances(z).mean() for i, z in known.latents.items()}
    least = np.quantile([value[i] for i in known.ids["train"]], 0.9)
    kinds: Counter[str] = Counter()
    expected = []
    for i in sorted(known.ids["new"], key=lambda i: (-value[i], i)):
        if value[i] > least and kinds[known.kind[i]] < 4 and len(expected) < 10:
            kinds[known.kind[i]] += 1
            expected.append(i)
    assert answer.table("chosen")["structure_id"].to_list() == expected
    assert 4 < len(expected) < sum(value[i] > least for i in known.ids["new"])
    assert max(kinds.values()) == 4


def known_columns(scores: pl.DataFrame) -> Iterator[tuple[str, str, np.ndarray]]:
    """Set, score and values, those that are missing left out."""
    names = [f"latent_variance_{name}" for name in VARIANCES] + [*OF_PREDICTIONS, *DISTANCES]
    for each in SETS:
        for name in names:
            yield each, name, scores.filter(set=each)[name].drop_nulls().to_numpy()


def test_statistics_of_every_score_and_set(answer: Answer, scores: pl.DataFrame) -> None:
    found = {(row["set"], row["score"]): row for row in answer.table("statistics").to_dicts()}
    columns = {(each, name): values for each, name, values in known_columns(scores)}
    assert columns.keys() <= found.keys()
    for key, values in columns.items():
        expected = reference.statistics(values)
        assert {name: found[key][name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_histograms_of_every_score_and_set(answer: Answer, scores: pl.DataFrame) -> None:
    bins = answer.table("histogram")
    columns = {(each, name): values for each, name, values in known_columns(scores)}
    for (each, name), values in columns.items():
        whole = np.concatenate([columns[other, name] for other in SETS])
        counts, edges = np.histogram(values, 50, (whole.min(), whole.max()))
        found = bins.filter(set=each, score=name).sort("bin")
        np.testing.assert_allclose(found["low"], edges[:-1], rtol=1e-12)
        np.testing.assert_allclose(found["high"], edges[1:], rtol=1e-12)
        assert found["bin"].to_list() == list(range(50))
        assert found["n_structures"].to_list() == counts.tolist()


def test_the_width_is_that_of_the_latents(answer: Answer) -> None:
    assert answer.table("scores")["latent_variance_trace"].sum() == pytest.approx(
        N_FEATURES * answer.table("scores")["latent_variance_mean"].sum(), rel=1e-12
    )


def check(
    found: dict[tuple[str, int], float | None],
    expected: dict[tuple[str, int], float | None],
    rel: float,
) -> None:
    """The same structures, the same numbers, and nothing where there is nothing."""
    assert set(found) == set(expected)
    assert {key for key in found if found[key] is None} == {
        key for key in expected if expected[key] is None
    }
    given = [key for key in found if found[key] is not None]
    np.testing.assert_allclose([found[key] for key in given], [expected[key] for key in given], rel)
