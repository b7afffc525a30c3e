"""Where the labels are that stand against those of a frame, and how they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.landing.duplicates import IN_LAKE, Resolution
from ingest.tables.rows import Rows
from lake.reader import Reader


@dataclass(frozen=True)
class _Held:
    """Labels that are there: where they came from, and the energy (NaN: not given)."""

    place: str
    energy: float


def other_label_reasons(
    rows: Rows,
    resolution: Resolution,
    uris: Mapping[int, str],
    reader: Reader,
    *,
    dataset: str,
    label_set: str,
) -> dict[int, str]:
    """Why each row with other labels than those of its structure is refused.

    Parameters
    ----------
    uris
        Names of the sources of this ingest, by index.
    """
    held_by = resolution.other_labels
    wanted = [int(rows.structure_id[row]) for row, held in held_by.items() if held == IN_LAKE]
    in_lake = _held_in_lake(reader, dataset, label_set, wanted) if wanted else {}
    reasons = {}
    for row, holder in held_by.items():
        if holder == IN_LAKE:
            held = in_lake[int(rows.structure_id[row])]
        else:
            line = f" (line {rows.line[holder]})" if rows.line[holder] else ""
            uri = uris[int(rows.source[holder])]
            place = f"{uri}, frame {rows.frame[holder]}{line}"
            held = _Held(place, float(rows.energy[holder]))
        reasons[row] = (
            f"the same frame is there with other labels, from {held.place}: "
            f"{difference(held.energy, float(rows.energy[row]))}. A label set holds one label per "
            "structure. Use another --label-set, or drop the old labels first"
        )
    return reasons


def _held_in_lake(
    reader: Reader, dataset: str, label_set: str, wanted: list[int]
) -> dict[int, _Held]:
    names = ("structure_id", "source_id", "frame", "energy")
    files = reader.files("labels", dataset=dataset, label_set=label_set)
    labels = reader.columns("labels", files, names)
    labels = labels.filter(pc.is_in(labels["structure_id"], pa.array(wanted, pa.int64())))
    sources = reader.columns(
        "sources", reader.files("sources", dataset=dataset), ("source_id", "uri")
    ).to_pydict()
    uris = dict(zip(sources["source_id"], sources["uri"], strict=True))
    return {
        row["structure_id"]: _Held(
            f"{uris.get(row['source_id'], 'a source no longer known')}, frame {row['frame']}",
            np.nan if row["energy"] is None else row["energy"],
        )
        for row in labels.to_pylist()
    }


def difference(there: float, here: float, tolerance: float = 0.0) -> str:
    """How numbers differ that are not the same, told by their energies in eV; NaN is none."""
    if abs(there - here) <= tolerance or (np.isnan(there) and np.isnan(here)):
        return "the energy is the same, forces or stress differ"
    return f"the energy is {_energy(there)} there and {_energy(here)} here"


def _energy(value: float) -> str:
    return "not given" if np.isnan(value) else f"{value} eV"
