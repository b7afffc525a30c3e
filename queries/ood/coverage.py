"""Whether all members have latents of one kind for the same structures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lake.errors import InvalidInputError
from lake.reader import Reader
from queries.ood.selection import Member

if TYPE_CHECKING:
    import polars as pl

KEYS = ("dataset", "structure_id")
NAMED = 6  # cases named in one message
DEFINITION_SHOWN = 120  # characters

# What is wrong with the latents of a structure, and the command that mends it.
FAULTS = {
    "not computed": "atomlake compute latents --dataset {dataset} --model {model}{layers}",
    "failed": "atomlake compute retry --failed --dataset {dataset} --model {model} --latents {all}",
    "of another number of atoms": "atomlake check",
    "not finite numbers": "atomlake drop predictions {dataset} {model}",
}


@dataclass(frozen=True)
class Coverage:
    """The structures that can be scored, and what must be said of the others.

    Attributes
    ----------
    pointers
        Those of structures that every member has sound latents of.
    definition, n_features
        What the latents are, and their width.
    warnings
        What is left out.
    """

    pointers: pl.DataFrame
    definition: str | None
    n_features: int
    warnings: tuple[str, ...]


def check_coverage(
    reader: Reader,
    wanted: pl.DataFrame,
    pointers: pl.DataFrame,
    members: Sequence[Member],
    *,
    layer: str,
    is_partial_allowed: bool,
) -> Coverage:
    """The latents that can be compared.

    Parameters
    ----------
    wanted
        ``dataset``, ``structure_id`` and ``n_atoms``, each structure once.
    pointers
        What ``latent_pointers.sql`` gives.

    Raises
    ------
    InvalidInputError
        The latents are of several kinds, none are left, or some are missing and that was not
        allowed.
    """
    import polars as pl

    definition, n_features = _one_kind(pointers, members)
    faults = _faults(reader, wanted, pointers, members)
    bad = faults.select(KEYS).unique()
    whole = pointers.join(bad, on=KEYS, how="anti")
    n_used = whole.select(pl.struct(KEYS).n_unique()).item() if len(whole) else 0
    warnings = [*_roundings(whole, members)]
    if len(bad):
        said = " ".join(_said(faults, layer))
        what = (
            f"{len(bad):,} of the {len(wanted):,} structures cannot be compared: not every "
            f"member has sound latents of the layer {layer}. {said}"
        )
        if not n_used:
            raise InvalidInputError(f"{what} Expected at least one structure that all have.")
        if not is_partial_allowed:
            raise InvalidInputError(
                f"{what} Expected all of them. Compute what is missing, or score the {n_used:,} "
                "that have everything with --allow-partial."
            )
        warnings.insert(0, f"Scored are {n_used:,} of the {len(wanted):,} structures. {said}")
    return Coverage(whole, definition, n_features, tuple(warnings))


def no_latents(reader: Reader, members: Sequence[Member], layer: str, dataset: str) -> str:
    """What to say where no member has latents of a layer."""
    import polars as pl

    names = [member.model for member in members]
    there = (
        reader.scan("embeddings")
        .filter(pl.col("model").is_in(names))
        .group_by("dataset", "layer")
        .agg(pl.col("model").n_unique())
        .sort("dataset", "layer")
        .collect()
    )
    said = ", ".join(f"{d} / {one} (of {n})" for d, one, n in there.iter_rows())
    known = f"There are, by dataset and layer: {said}." if said else "There are none at all."
    return (
        f"No member of the ensemble has latents of the layer {layer!r} for the structures chosen. "
        f"Expected those of all {len(members)}. {known} Compute them with: "
        + FAULTS["not computed"].format(dataset=dataset, model=names[0], layers=_layers(layer))
    )


def _one_kind(pointers: pl.DataFrame, members: Sequence[Member]) -> tuple[str | None, int]:
    """The definition and the width that all latents share."""
    names = {member.model_id: member.model for member in members}
    kinds = pointers.select("definition", "n_features", "model_id").unique()
    found = kinds.select("definition", "n_features").unique().sort("definition", "n_features")
    if len(found) > 1:
        lines = []
        for definition, width in found.iter_rows():
            of = kinds.filter(
                (kinds["n_features"] == width) & kinds["definition"].eq_missing(definition)
            )
            models = ", ".join(sorted(names[each] for each in of["model_id"]))
            text = str(definition or "nothing")[:DEFINITION_SHOWN]
            lines.append(f"  {models}: {width} features, defined by {text}")
        raise InvalidInputError(
            f"The latents are of {len(found)} kinds:\n" + "\n".join(lines) + "\nExpected one: only "
            "latents of one definition and width can be compared. Choose other members or another "
            "--layer, or drop some and compute them again."
        )
    only: tuple[str | None, int] = found.row(0)
    return only


def _faults(
    reader: Reader, wanted: pl.DataFrame, pointers: pl.DataFrame, members: Sequence[Member]
) -> pl.DataFrame:
    """``dataset``, ``structure_id``, ``model`` and ``fault``: latents that are not as they should.

    One row per structure and member with a fault.
    """
    import polars as pl

    models = pl.DataFrame(
        {
            "model": [member.model for member in members],
            "model_id": [member.model_id for member in members],
        }
    )
    there = pointers.select(
        *KEYS, "model_id", "is_finite", pl.col("n_atoms").alias("n_rows"), is_there=pl.lit(True)
    )
    all_pairs = wanted.join(models, how="cross").join(there, on=[*KEYS, "model_id"], how="left")
    fault = (
        pl.when(pl.col("is_there").is_null())
        .then(pl.lit("not computed"))
        .when(pl.col("n_rows") != pl.col("n_atoms"))
        .then(pl.lit("of another number of atoms"))
        .when(pl.col("is_finite").eq_missing(False))
        .then(pl.lit("not finite numbers"))
    )
    found = all_pairs.with_columns(fault=fault).filter(pl.col("fault").is_not_null())
    failed = _failed(reader, found).with_columns(has_failed=pl.lit(True))
    joined = found.join(failed, on=[*KEYS, "model_id"], how="left")
    is_failed = pl.col("has_failed").is_not_null() & (pl.col("fault") == "not computed")
    return joined.select(
        *KEYS, "model", fault=pl.when(is_failed).then(pl.lit("failed")).otherwise("fault")
    )


def _failed(reader: Reader, faults: pl.DataFrame) -> pl.DataFrame:
    """Structures among these that a member has tried and failed."""
    import polars as pl

    keys = [*KEYS, "model_id"]
    parts = [faults.select(keys).clear()]
    for dataset, model in faults.select("dataset", "model").unique().sort("*").iter_rows():
        rows = reader.scan("predictions", dataset=dataset, model=model)
        parts.append(rows.filter(pl.col("status") == "failed").select(keys).collect())
    return pl.concat(parts)


def _said(faults: pl.DataFrame, layer: str) -> Iterator[str]:
    """One sentence per fault: how many, by which members, and what mends it."""
    import polars as pl

    for fault, command in FAULTS.items():
        of = faults.filter(fault=fault)
        if of.is_empty():
            continue
        counts = of.group_by("dataset", "model").len().sort("dataset", "model")
        said = ", ".join(f"{n:,} of {d} by {m}" for d, m, n in counts.head(NAMED).iter_rows())
        more = f" and more by {len(counts) - NAMED} others" if len(counts) > NAMED else ""
        first = counts.row(0, named=True)
        how = command.format(
            dataset=first["dataset"],
            model=first["model"],
            layers=_layers(layer),
            all="last" if layer == "last" else "all",
        )
        example = f"e.g. structure {of.select(pl.col('structure_id').min()).item()}"
        yield f"{fault.capitalize()}: {said}{more} ({example}): {how}."


def _layers(layer: str) -> str:
    return "" if layer == "last" else " --latents all"


def _roundings(pointers: pl.DataFrame, members: Sequence[Member]) -> Iterator[str]:
    names = {member.model_id: member.model for member in members}
    half = sorted({names[each] for each in pointers.filter(dtype="float16")["model_id"]})
    if half:
        yield (
            f"The latents of {', '.join(half)} were kept as float16: differences below a "
            "thousandth of a latent's size are rounding."
        )
