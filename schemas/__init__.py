"""The tables of the lake, each declared once."""

from __future__ import annotations

from schemas.commits import COMMITS, TAGS
from schemas.models import EMBEDDINGS, MODELS, PREDICTIONS
from schemas.ood import OOD_SCORES
from schemas.regions import REGIONS
from schemas.runs import RUNS, TRAINING_HISTORY
from schemas.sources import REJECTS, SOURCES
from schemas.structures import LABELS, STRUCTURES
from schemas.table import Column, Table
from schemas.types import delta_field, duckdb_type
from schemas.validation import find_faults

# In the order in which one operation commits them: what is pointed at comes before what points.
TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        RUNS,
        TRAINING_HISTORY,
        REGIONS,
        OOD_SCORES,
        EMBEDDINGS,
        PREDICTIONS,
        MODELS,
        REJECTS,
        LABELS,
        STRUCTURES,
        SOURCES,
        TAGS,
        COMMITS,
    )
}

__all__ = ["TABLES", "Column", "Table", "delta_field", "duckdb_type", "find_faults"]
