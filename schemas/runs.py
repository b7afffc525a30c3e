"""Training runs and the numbers they logged."""

from __future__ import annotations

import pyarrow as pa

from schemas.table import Column, Table
from schemas.types import TIMESTAMP

PROJECT = Column("project", pa.string(), "Project the run belongs to.", required=True)
RUN_ID = Column("run_id", pa.string(), "Identity of the run within its project.", required=True)

RUNS = Table(
    name="runs",
    doc="Training runs with their configuration and last values.",
    grain=("project", "run_id"),
    partition=("project",),
    sort_by=("run_id",),
    columns=(
        PROJECT,
        RUN_ID,
        Column("name", pa.string(), "Display name of the run.", required=True),
        Column(
            "state",
            pa.string(),
            "finished, failed, running, crashed, killed …; unknown where the source does not say.",
        ),
        Column("config", pa.string(), "Configuration of the run, as a JSON object."),
        Column("summary", pa.string(), "Last values of the run, as a JSON object."),
        Column(
            "attributes",
            pa.string(),
            "Everything else said of the run, as its entity, group and tags, as a JSON object.",
        ),
        Column("created_at", TIMESTAMP, "When the run began."),
        Column("source_id", pa.int64(), "The source the run was read from."),
    ),
)

TRAINING_HISTORY = Table(
    name="training_history",
    doc="Training curves, narrow: one row per value logged.",
    grain=("project", "run_id", "step", "key"),
    partition=("project",),
    sort_by=("run_id", "key", "step"),
    columns=(
        PROJECT,
        RUN_ID,
        Column("step", pa.int64(), "Step at which the value was logged.", required=True),
        Column("epoch", pa.float64(), "Epoch at that step, where it was logged."),
        Column("key", pa.string(), "What the value is, as the run named it.", required=True),
        Column(
            "value",
            pa.float64(),
            "The number, its unit being the run's own; also of a text that reads as a number, and "
            "1 and 0 of true and false. NULL of anything else.",
        ),
        Column(
            "other",
            pa.string(),
            "As JSON, what was logged where it is not a plain number: text, true, a list, media.",
        ),
        Column("logged_at", TIMESTAMP, "When it was logged."),
    ),
)
