"""What query plans say was read."""

from __future__ import annotations

import json
from typing import Any

from lake.lake import Lake


def scans(lk: Lake, query: str) -> list[dict[str, Any]]:
    """What DuckDB says of every table scan, once it has run the query."""
    connection = lk.connect()
    (_, plan) = connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {query}").fetchall()[0]

    def walk(part: Any) -> list[dict[str, Any]]:
        if isinstance(part, list):
            return [scan for each in part for scan in walk(each)]
        if not isinstance(part, dict):
            return []
        info = part.get("extra_info") or {}
        own = [info] if "Scanning Files" in info else []
        return own + [scan for each in part.values() for scan in walk(each)]

    return walk(json.loads(plan))


def columns(scan: dict[str, Any]) -> set[str]:
    projections = scan["Projections"]
    return set(projections) if isinstance(projections, list) else {projections}
