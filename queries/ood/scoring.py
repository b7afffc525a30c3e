"""Scoring sets of structures: from the lake to everything an answer holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.reader import Reader
from queries.ood.aligned_scores import aligned_scores
from queries.ood.choosing import Choice
from queries.ood.chosen_parts import caveats_of_choice, chosen_parts
from queries.ood.coverage import Coverage, check_coverage, no_latents
from queries.ood.disagreement import force_disagreement
from queries.ood.members import caveats_of_members, choose_members
from queries.ood.metadata import metadata_columns
from queries.ood.pairwise import variance_sql
from queries.ood.pointers import add_wanted, read_pointers
from queries.ood.result import ALIGNED, SCORES, OodScores
from queries.ood.saved import read_saved
from queries.ood.selection import DEFAULT_MEMORY_MIB, Member, OodSelection, StructureSet
from queries.ood.sets import choose_sets, read_sets
from queries.ood.structure_scores import score_structures
from queries.statements.session import Session
from queries.statements.statement import read_statement

if TYPE_CHECKING:
    import polars as pl

KEYS = ("dataset", "structure_id")
RESERVED = ("rank", "cluster")  # columns that come later
# What the statement on variances reads, which is no table.
BLOCK = """\
-- block has a row per atom: its place, and z0, z1, … of the members in their order. These are
-- latents, from the arrays latent_pointers names; for force_disagreement, predicted forces.
"""
DESCRIBED = ("source", "frame", "config_type", "formula", "n_atoms")


def score(
    lake: Lake,
    *,
    sets: Sequence[str],
    models: Sequence[str] = (),
    groups: Sequence[str] = (),
    baseline: str | None = None,
    layer: str = "last",
    choice: Choice | None = None,
    by_element: bool = False,
    is_aligned: bool = False,
    against: Sequence[str] = (),
    allow_partial: bool = False,
    memory_mib: int = DEFAULT_MEMORY_MIB,
) -> OodScores:
    """Score structures by how much an ensemble disagrees on them, and choose some.

    Parameters
    ----------
    lake
        The lake, at any version.
    sets
        Sets to score and choose from; see `queries.ood.sets.parse_set`.
    models, groups
        Patterns of names and groups: the members of the ensemble.
    baseline
        Name of one of the sets, or another set: what quantiles and distances refer to.
    layer
        Layer of the latents.
    choice
        The rule that chooses; the 30 with the greatest ``latent_variance_trace`` by default.
    by_element
        Give scores by element too.
    is_aligned
        Give ``latent_variance_aligned`` too, which needs a baseline; it is given anyway where it
        ranks.
    against
        Names under which scores of the same structures were saved, to set beside these.
    allow_partial
        Leave out structures that a member has no latents of.
    memory_mib
        Room for latents, in MiB.

    Raises
    ------
    NotFoundError
        There is no such dataset, model, group, score or key.
    InvalidInputError
        A set is empty; there is one member only; latents are missing or of several kinds; or an
        option cannot be meant.
    """
    choice = choice or Choice()
    choice.check(has_baseline=baseline is not None)
    is_aligned |= choice.score == ALIGNED
    if is_aligned and baseline is None:
        raise InvalidInputError(
            f"{ALIGNED}: on what? Expected a baseline set, on whose atoms the members are aligned. "
            "Give --baseline SET, or rank by another --score."
        )
    reader = lake.reader
    chosen_sets = choose_sets(sets, baseline)
    ensemble, members = choose_members(reader, models, groups)
    described, described_sql = read_sets(reader, chosen_sets)
    wanted = described.select(*KEYS, "n_atoms").unique(KEYS, maintain_order=True)
    pointers, pointers_sql = read_pointers(reader, wanted, members, layer)
    if pointers.is_empty():
        raise InvalidInputError(no_latents(reader, members, layer, chosen_sets[0].dataset))
    coverage = check_coverage(
        reader, wanted, pointers, members, layer=layer, is_partial_allowed=allow_partial
    )
    selection = OodSelection(
        ensemble,
        members,
        layer,
        coverage.definition,
        coverage.n_features,
        chosen_sets,
        _baseline_name(chosen_sets, baseline),
        allow_partial,
    )
    numbers, numbers_sql = _numbers(reader, coverage, members, memory_mib, by_element=by_element)
    warnings = list(coverage.warnings)
    if is_aligned:
        aligned, caveats = _aligned(reader, coverage, selection, described, memory_mib)
        numbers = numbers.join(aligned, on=KEYS, how="left", maintain_order="left")
        warnings += caveats
    scores = _joined(described, numbers, selection)
    statements = {"described_structures": described_sql, **pointers_sql, **numbers_sql}
    return _answer(reader, selection, choice, scores, against, statements, warnings)


def _baseline_name(sets: Sequence[StructureSet], baseline: str | None) -> str | None:
    if baseline is None:
        return None
    names = [each.name for each in sets]
    return baseline if baseline in names else names[-1]


def _numbers(
    reader: Reader,
    coverage: Coverage,
    members: tuple[Member, ...],
    memory_mib: int,
    *,
    by_element: bool,
) -> tuple[pl.DataFrame, dict[str, str]]:
    """All scores of structures that can be scored, and the SQL."""
    import polars as pl

    model_ids = tuple(member.model_id for member in members)
    latents = score_structures(
        reader, coverage.pointers, model_ids, memory_mib=memory_mib, by_element=by_element
    )
    parameters = {"model_ids": list(model_ids), "n_members": len(model_ids)}
    with Session(reader, ("predictions",), parameters) as session:
        add_wanted(session, latents)
        energies = session.ask(read_statement("ood", "energy_disagreement"))
    forces = force_disagreement(reader, energies.filter("has_forces").select(KEYS), members)
    labelled = [pl.col(name) for name in SCORES if name in latents.columns] + [
        pl.col("energy_disagreement"),
        pl.col("force_disagreement"),
    ]
    joined = latents.join(energies, on=KEYS, how="left").join(forces, on=KEYS, how="left")
    extra = [name for name in latents.columns if name not in SCORES and name not in KEYS]
    statements = {
        "atom_variances": BLOCK + variance_sql(len(members)),
        "structure_scores": (
            f"-- $n_features = {coverage.n_features}\n"
            + read_statement("ood", "structure_scores").text
        ),
        **({"element_scores": read_statement("ood", "element_scores").text} if extra else {}),
        **session.statements,
    }
    return joined.select(*KEYS, *labelled, *extra), statements


def _aligned(
    reader: Reader,
    coverage: Coverage,
    selection: OodSelection,
    described: pl.DataFrame,
    memory_mib: int,
) -> tuple[pl.DataFrame, list[str]]:
    """See `queries.ood.aligned_scores.aligned_scores`."""
    fitted_on = described.filter(set=selection.baseline).select(KEYS)
    model_ids = tuple(member.model_id for member in selection.members)
    return aligned_scores(reader, coverage.pointers, model_ids, fitted_on, memory_mib=memory_mib)


def _joined(
    described: pl.DataFrame, numbers: pl.DataFrame, selection: OodSelection
) -> pl.DataFrame:
    """The structures of the sets that were scored, with their scores."""
    import polars as pl

    joined = described.join(numbers, on=KEYS, how="inner", maintain_order="left")
    is_baseline = (
        pl.lit(False) if selection.baseline is None else pl.col("set") == selection.baseline
    )
    extra = [name for name in numbers.columns if name not in KEYS]
    return joined.select(
        "set", *KEYS, "is_candidate", is_baseline.alias("is_baseline"), *DESCRIBED, *extra, "info"
    )


def _answer(
    reader: Reader,
    selection: OodSelection,
    choice: Choice,
    scores: pl.DataFrame,
    against: Sequence[str],
    statements: Mapping[str, str],
    warnings: Sequence[str],
) -> OodScores:
    empty = [each.name for each in selection.sets if each.name not in scores["set"]]
    if empty:
        raise InvalidInputError(
            f"Nothing is left of the set {', '.join(empty)}: the members share no latents of its "
            "structures. Expected at least one structure. Compute them, or leave the set out."
        )
    metadata = metadata_columns(scores["info"], [*scores.columns, *RESERVED])
    front = ("set", *KEYS, "is_candidate", "is_baseline", *DESCRIBED)
    rest = [name for name in scores.columns if name not in (*front, "info")]
    named = scores.select(*front, *rest).with_columns(metadata)
    made = chosen_parts(named, choice, selection, rest)
    return OodScores(
        selection=selection,
        lake_path=reader.storage.uri,
        lake_version=reader.state.version,
        against=read_saved(reader, against, scores),
        metadata=tuple(column.name for column in metadata),
        statements=dict(statements),
        warnings=(
            *warnings,
            *caveats_of_members(selection.members),
            *caveats_of_choice(choice, made["chosen"], selection),
            *_caveats_of_predictions(scores),
        ),
        **made,
    )


def _caveats_of_predictions(scores: pl.DataFrame) -> list[str]:
    """Structures whose energy or forces a member has not predicted."""
    said = []
    for column, what in (("energy_disagreement", "energies"), ("force_disagreement", "forces")):
        n_missing = scores[column].null_count()
        if n_missing:
            said.append(
                f"{n_missing:,} of {len(scores):,} rows have no {column}: not every member "
                f"predicted {what}. Predict them with: atomlake compute predict"
            )
    return said
