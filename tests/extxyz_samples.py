"""Extended XYZ for tests: small frames, and one call that reads them all the way to rows."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest.extxyz.importer import ExtxyzImporter
from ingest.frames.frames import Reject
from ingest.labels.labels import LabelRules
from ingest.labels.units import SourceUnits
from ingest.tables.tables import parse
from lake.structures.info_json import decode_info

HEAD = "Properties=species:S:1:pos:R:3"
LATTICE = 'Lattice="4.0 0.0 0.0 0.0 4.0 0.0 0.0 0.0 4.0"'
ATOMS = "Cu 0.0 0.0 0.0\nCu 1.5 1.5 1.5\n"


def frame(comment: str = "", atoms: str = ATOMS, n: object = None, columns: str = HEAD) -> str:
    """One frame; `n` overrides the true count."""
    count = atoms.count("\n") if n is None else n
    return f"{count}\n{columns} {comment}\n{atoms}"


@dataclass(frozen=True)
class Read:
    """Everything that came of a text."""

    structures: pa.Table
    labels: pa.Table
    rejects: list[Reject]
    n_frames: int

    @property
    def reasons(self) -> list[str]:
        return [reject.reason for reject in self.rejects]

    def info(self, row: int = 0) -> dict[str, Any]:
        return decode_info(self.structures["info"][row].as_py())

    def column(self, name: str) -> list[Any]:
        table = self.structures if name in self.structures.column_names else self.labels
        return table[name].to_pylist()


def read(
    text: str | bytes,
    *,
    key_map: Mapping[str, str] | None = None,
    units: tuple[str, ...] = (),
    block_bytes: int = 1 << 20,
) -> Read:
    """Read a text to rows, and check that the accounting closes."""
    data = text if isinstance(text, bytes) else text.encode()
    importer = ExtxyzImporter(block_bytes)
    rules = LabelRules(key_map or {}, SourceUnits.parse(units))
    structures, labels, rejects, n_frames = [], [], [], 0
    for block in importer.blocks(io.BytesIO(data)):
        batches, refused = importer.read(block)
        parsed = parse(batches, rules, rejects=(*block.rejects, *refused))
        assert parsed.n_frames == block.n_frames
        assert parsed.structures.num_rows + len(parsed.rejects) == parsed.n_frames
        structures.append(parsed.structures)
        labels.append(parsed.labels)
        rejects += parsed.rejects
        n_frames += parsed.n_frames
    empty = parse([], rules)
    return Read(
        pa.concat_tables([empty.structures, *structures]).combine_chunks(),
        pa.concat_tables([empty.labels, *labels]).combine_chunks(),
        rejects,
        n_frames,
    )


def data_path(*parts: str) -> Path:
    """A file of the shared test data; the test is skipped where there is none."""
    default = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("ATOMLAKE_TEST_DATA", default), *parts)
    if not path.exists():
        pytest.skip(f"no test data at {path}; set ATOMLAKE_TEST_DATA")
    return path
