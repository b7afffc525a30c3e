"""What was read, and what was refused: the accounting of every ingest."""

from __future__ import annotations

import pyarrow as pa

from schemas.structures import DATASET
from schemas.table import Column, Table
from schemas.types import TIMESTAMP

# Formats of logs of training runs, whose rows have a project for a dataset.
LOG_FORMATS = ("wandb", "wandb-server", "mace-log", "lightning")

SOURCE_ID = Column(
    "source_id",
    pa.int64(),
    "Hash of the dataset, the file's name and checksum, and the options it was read with.",
    required=True,
)

SOURCES = Table(
    name="sources",
    doc=(
        "Every file read. frames_read = rows + duplicates + rejects holds in every row. Of a log "
        "of training runs, dataset is the project, and frames are runs and values."
    ),
    grain=("dataset", "source_id"),
    partition=("dataset",),
    sort_by=("source_id",),
    columns=(
        DATASET,
        SOURCE_ID,
        Column("uri", pa.string(), "Where the file lay when it was read.", required=True),
        Column("format", pa.string(), "Format it was read as.", required=True),
        Column("sha256", pa.string(), "Checksum of the file as it lay there.", required=True),
        Column("size", pa.int64(), "Size of the file as it lay there.", "byte", required=True),
        Column(
            "label_set",
            pa.string(),
            "Label set its labels went to; NULL once dropped, or if it has none.",
        ),
        Column(
            "options", pa.string(), "Options it was read with, as a JSON object.", required=True
        ),
        Column("source_units", pa.string(), "Units of the source, as a JSON object."),
        Column("frames_read", pa.int64(), "Frames found in the file.", required=True),
        Column(
            "rows",
            pa.int64(),
            "Frames that added a structure, a label or a prediction.",
            required=True,
        ),
        Column("duplicates", pa.int64(), "Frames that were in the dataset already.", required=True),
        Column("rejects", pa.int64(), "Frames refused; each stands in rejects.", required=True),
        Column("read_at", TIMESTAMP, "When it was read.", required=True),
    ),
)

REJECTS = Table(
    name="rejects",
    doc=(
        "Every frame refused, with its place and the reason; files of predictions that fit none of "
        "several datasets under the dataset unmatched."
    ),
    grain=("dataset", "source_id", "frame"),
    partition=("dataset",),
    sort_by=("source_id", "frame"),
    columns=(
        DATASET,
        SOURCE_ID,
        Column("uri", pa.string(), "Where the file lay when it was read.", required=True),
        Column("frame", pa.int64(), "Index of the frame, from 0; -1 for the file as a whole."),
        Column("line", pa.int64(), "First line of the frame in the file, from 1."),
        Column("reason", pa.string(), "What was wrong and what was expected.", required=True),
        Column("excerpt", pa.string(), "The beginning of the frame, at most 400 characters."),
    ),
)
