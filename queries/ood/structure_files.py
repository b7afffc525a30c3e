"""The chosen structures as files for DFT: CIF and extended XYZ, with scores."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.exports.extxyz_text import extxyz_text
from lake.reader import Reader
from lake.rows.row_reader import RowReader
from lake.structures.info_json import decode_info, encode_info
from lake.structures.structure_arrays import StructureArrays
from queries.ood.atom_variances import read_variances
from queries.ood.cif_text import cif_text
from queries.ood.pointers import read_pointers
from queries.ood.result import ALIGNED, SCORES, OodScores

if TYPE_CHECKING:
    import polars as pl

ATOM_SCORE = "latent_variance_trace"
CHOSEN = "chosen.extxyz"
CIFS = "cif"
STRUCTURES_AT_ONCE = 100
LONGEST_STEM = 200
Variances = dict[int, NDArray[np.float64]]


def write_chosen(
    reader: Reader, result: OodScores, folder: Path, memory_mib: int
) -> tuple[list[Path], list[str]]:
    """Write the chosen structures; the files, and what must be said of them.

    ``chosen.extxyz`` holds all, in order of rank, as the lake has them but without labels; the
    score of every atom is the array ``latent_variance_trace``, and rank, structure_id and scores
    are keys. ``cif/<rank>_<name of the source>.cif`` holds one each, where it has a cell.
    """
    if result.chosen.is_empty():
        return [], []
    target = folder / CHOSEN
    scores = _written_scores(result)
    cifs: list[Path] = []
    (folder / CIFS).mkdir(exist_ok=True)
    with target.open("wb") as stream:
        for part in result.chosen.iter_slices(STRUCTURES_AT_ONCE):
            variances = _variances(reader, result, part, memory_mib)
            rows = _frames(reader, part, variances, scores)
            stream.write(extxyz_text(rows))
            cifs += _write_cifs(rows, part, variances, scores, folder / CIFS)
    n_missing = len(result.chosen) - len(cifs)
    said = [f"{n_missing} of the chosen have no cell, so there is no CIF of them."]
    return [target, *cifs], said if n_missing else []


def _written_scores(result: OodScores) -> list[str]:
    """Names of the scores that go with a structure, the one that ranks among them."""
    names = dict.fromkeys((*SCORES, ALIGNED, result.score))
    return [name for name in names if name in result.chosen.columns]


def _variances(reader: Reader, result: OodScores, part: pl.DataFrame, memory_mib: int) -> Variances:
    """v_i of the atoms of some structures, by structure_id."""
    selection = result.selection
    pointers, _ = read_pointers(reader, part, selection.members, selection.layer)
    model_ids = tuple(member.model_id for member in selection.members)
    found: Variances = {}
    for each in read_variances(reader, pointers, model_ids, memory_mib):
        bounds = np.cumsum(each.n_atoms)[:-1]
        found |= dict(
            zip(each.structure_ids.tolist(), np.split(each.variance, bounds), strict=True)
        )
    return found


def _frames(
    reader: Reader, part: pl.DataFrame, variances: Variances, scores: Sequence[str]
) -> pa.Table:
    """Rows of structures with scores among their keys and arrays."""
    rows = RowReader(reader, "structures").fetch(
        part["structure_id"].to_numpy(), pa.chunked_array([part["dataset"].to_arrow()])
    )
    infos, arrays = [], []
    old = zip(rows["info"].to_pylist(), rows["arrays"].to_pylist(), strict=True)
    for (info, lists), row in zip(old, part.iter_rows(named=True), strict=True):
        infos.append(encode_info({**decode_info(info or "{}"), **_keys(row, scores)}).decode())
        kept = [each for each in lists or [] if each["name"] != ATOM_SCORE]
        arrays.append([*kept, _array(variances[row["structure_id"]])])
    for name, values in (("info", infos), ("arrays", arrays)):
        at = rows.schema.get_field_index(name)
        field = rows.schema.field(at)
        rows = rows.set_column(at, field, pa.array(values, field.type))
    return rows


def _keys(row: dict[str, Any], scores: Sequence[str]) -> dict[str, Any]:
    """What a frame says of itself beside its own keys."""
    return {
        "ood_rank": row["rank"],
        "ood_set": row["set"],
        "ood_structure_id": str(row["structure_id"]),  # some readers have no 64-bit integers
        **{f"ood_{name}": row[name] for name in scores if row[name] is not None},
    }


def _array(variance: NDArray[np.float64]) -> dict[str, Any]:
    return {"name": ATOM_SCORE, "n_columns": 1, "floats": variance.tolist()}


def _write_cifs(
    rows: pa.Table,
    part: pl.DataFrame,
    variances: Variances,
    scores: Sequence[str],
    folder: Path,
) -> Iterator[Path]:
    arrays = StructureArrays.from_rows(rows, None)
    bounds = pairwise(arrays.offsets.tolist())
    for i, (row, (start, stop)) in enumerate(zip(part.iter_rows(named=True), bounds, strict=True)):
        cell = arrays.cell[i].reshape(3, 3)
        if np.linalg.matrix_rank(cell) < 3:
            continue
        facts = {
            "structure_id": str(row["structure_id"]),
            "dataset": row["dataset"],
            "source": f"{row['source']}, frame {row['frame']}",
            **{score: f"{row[score]:.8g}" for score in scores if row[score] is not None},
        }
        columns = {ATOM_SCORE: variances[row["structure_id"]]}
        target = folder / f"{cif_name(row)}.cif"
        numbers, positions = arrays.numbers[start:stop], arrays.positions[start:stop]
        text = cif_text(target.stem, numbers, positions, cell, columns, facts)
        target.write_text(text, "utf-8")
        yield target


def cif_name(row: dict[str, Any]) -> str:
    """Rank and name of the source, with the frame unless it is the first.

    Examples
    --------
    >>> cif_name({"rank": 3, "source": "in/slab T300.cif", "frame": 0})
    '0003_slab_T300'
    """
    stem = re.sub(r"[^A-Za-z0-9_.+-]", "_", Path(row["source"] or "structure").stem)
    stem = stem[:LONGEST_STEM]  # a name that is as long as files allow gets a rank too
    frame = f"_frame{row['frame']}" if row["frame"] else ""
    return f"{row['rank']:04d}_{stem}{frame}"
