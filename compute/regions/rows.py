"""Rows of the table regions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from compute.regions.scheme import Scheme
from compute.regions.structure import THREE, TWO, NoRegionsError, Regions, Structure
from lake.errors import InvalidInputError
from schemas import TABLES
from schemas.types import FLOATS, STRINGS, VECTORS

REGIONS = TABLES["regions"].file_arrow


@dataclass(frozen=True, eq=False)
class Outcome:
    """The regions of a structure, or the reason why there are none."""

    structure_id: int
    n_atoms: int
    regions: Regions | None
    reason: str | None = None


def label(scheme: Scheme, structures: Iterable[tuple[int, Structure]]) -> list[Outcome]:
    """What a scheme says of structures, each with its id.

    Nothing stands there of a structure whose neighbours there is no memory for: another time, or
    elsewhere, there may be.
    """
    outcomes = (_label(scheme, identity, structure) for identity, structure in structures)
    return [outcome for outcome in outcomes if outcome is not None]


def _label(scheme: Scheme, identity: int, structure: Structure) -> Outcome | None:
    if not len(structure):
        return Outcome(identity, 0, None, "it has no atoms")
    try:
        return Outcome(identity, len(structure), scheme.find(structure))
    except (NoRegionsError, InvalidInputError) as error:
        return Outcome(identity, len(structure), None, str(error))
    except MemoryError:
        return None


def schemes_of(family: str) -> tuple[str, str]:
    """Names of the two schemes of a family: of two and of three regions."""
    return f"{family}-2", f"{family}-3"


def region_rows(scheme: Scheme, outcomes: Sequence[Outcome]) -> dict[str, pa.Table]:
    """Rows by the name of the scheme; the two differ in ``region`` alone."""
    k = len(outcomes)
    regions = [each.regions for each in outcomes]
    parameters = json.dumps(dict(scheme.parameters), sort_keys=True)
    columns = {
        "structure_id": pa.array([each.structure_id for each in outcomes], pa.int64()),
        "n_atoms": pa.array([each.n_atoms for each in outcomes], pa.int32()),
        "reason": pa.array([each.reason for each in outcomes], pa.string()),
        "parameters": pa.repeat(pa.scalar(parameters), k),
        "scheme_version": pa.repeat(pa.scalar(scheme.version), k),
        **_found(regions),
    }
    two, three = schemes_of(scheme.family)
    return {
        name: pa.Table.from_arrays(
            [(columns | {"region": labels})[column] for column in REGIONS.names], schema=REGIONS
        )
        for name, labels in (
            (two, _labels([None if r is None else r.two for r in regions], TWO)),
            (three, _labels([None if r is None else r.three for r in regions], THREE)),
        )
    }


def _found(regions: Sequence[Regions | None]) -> dict[str, pa.Array]:
    centres = [None if each is None else each.centres for each in regions]
    some = [None if each is None or not len(each) else each[0] for each in centres]
    vectors = [None if each is None else dict(zip("xyz", each.T, strict=True)) for each in centres]
    return {
        "distance": _lists([None if r is None else r.distance for r in regions]),
        "centre": pa.array(some, FLOATS),
        "defect_kind": pa.array(
            [None if r is None else r.defect_kind for r in regions], pa.string()
        ),
        "n_defects": pa.array([None if c is None else len(c) for c in centres], pa.int32()),
        "centres": pa.array(vectors, VECTORS),
        "kinds": pa.array([None if r is None else r.kinds for r in regions], STRINGS),
        "details": pa.array(
            [None if r is None else json.dumps(dict(r.details), sort_keys=True) for r in regions],
            pa.string(),
        ),
    }


def _lists(values: Sequence[Any]) -> pa.Array:
    """Arrays of floats as lists, NULL for None."""
    offsets, flat = _flat(values, np.float64)
    return pa.ListArray.from_arrays(offsets, pa.array(flat), mask=_is_null(values))


def _labels(codes: Sequence[Any], names: Sequence[str | None]) -> pa.Array:
    """Codes as lists of their names, NULL for None."""
    offsets, flat = _flat(codes, np.int8)
    taken = pa.array(names, pa.string()).take(pa.array(flat))
    return pa.ListArray.from_arrays(offsets, taken, mask=_is_null(codes))


def _flat(values: Sequence[Any], dtype: type) -> tuple[pa.Array, np.ndarray[Any, Any]]:
    lengths = [0 if each is None else len(each) for each in values]
    flat = np.concatenate([np.empty(0, dtype), *(each for each in values if each is not None)])
    return pa.array(np.cumsum([0, *lengths]), pa.int32()), flat.astype(dtype, copy=False)


def _is_null(values: Sequence[Any]) -> pa.Array:
    return pa.array([each is None for each in values], pa.bool_())
