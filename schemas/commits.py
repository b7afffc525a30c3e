"""The lake's own history."""

from __future__ import annotations

import pyarrow as pa

from schemas.table import Column, Table
from schemas.types import TIMESTAMP

VERSION = Column("version", pa.int64(), "Version of the lake.", required=True)

COMMITS = Table(
    name="commits",
    doc="One row per operation. The Delta version of this table is the version of the lake.",
    grain=("version",),
    sort_by=("version",),
    columns=(
        VERSION,
        Column("operation", pa.string(), "What was done, e.g. ingest extxyz.", required=True),
        Column("arguments", pa.string(), "With which arguments, as a JSON object.", required=True),
        Column("committed_at", TIMESTAMP, "When, by the clock of the writer.", required=True),
        Column("code_version", pa.string(), "Version of atomlake that wrote it.", required=True),
        Column("user", pa.string(), "Who wrote it."),
        Column("host", pa.string(), "On which machine."),
        Column("counts", pa.string(), "Rows added and removed per table, as JSON.", required=True),
        Column("inputs", pa.string(), "Checksums of the inputs, as a JSON object."),
        Column(
            "tables", pa.string(), "Delta version of every table after it, as JSON.", required=True
        ),
        Column("operation_id", pa.string(), "Identity of the operation.", required=True),
    ),
)

TAGS = Table(
    name="tags",
    doc="Names given to versions of the lake. A name is given once.",
    grain=("tag",),
    sort_by=("tag",),
    columns=(
        Column("tag", pa.string(), "The name.", required=True),
        VERSION,
        Column("message", pa.string(), "What the version is for."),
        Column("tagged_at", TIMESTAMP, "When the name was given.", required=True),
    ),
)
