"""The row of a run in the table `runs`, and what becomes of it when more is read of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ingest.runs.logged_run import OPEN_STATES, UNKNOWN, LoggedRun
from ingest.runs.logged_values import json_text

Row = dict[str, Any]
_OBJECTS = ("config", "summary", "attributes")


def row_of(run: LoggedRun, project: str, source_id: int) -> Row:
    """The row a run would have if nothing was known of it; objects decoded."""
    objects = {name: json.loads(json_text(getattr(run, name))) for name in _OBJECTS}
    return {
        "project": project,
        "run_id": run.run_id,
        "name": run.name,
        "state": run.state,
        **objects,
        "created_at": run.created_at,
        "source_id": source_id,
    }


def decoded_row(row: Mapping[str, Any]) -> Row:
    """A row of the table, objects decoded."""
    return {**row, **{name: json.loads(row[name] or "{}") for name in _OBJECTS}}


def stored_row(row: Row) -> Row:
    """A row as the table holds it."""
    return {**row, **{name: json_text(row[name]) for name in _OBJECTS}}


def merged(there: Row, new: Row) -> Row:
    """What is known of a run when both are; where they differ, what the later one says.

    The later one is that of a run that has ended, then that with the later last step, then `new`.
    Nothing that either says is lost. Where all is known already, `there` itself comes back.
    """
    later, earlier = (there, new) if _is_later(there, new) else (new, there)
    whole = {**later, **{name: _united(earlier[name], later[name]) for name in _OBJECTS}}
    if later["state"] in (None, UNKNOWN):
        whole["state"] = earlier["state"]
    moments = [row["created_at"] for row in (there, new) if row["created_at"] is not None]
    whole["created_at"] = min(moments, default=None)
    same = {**whole, "source_id": there["source_id"]}
    return there if same == there else whole


def _is_later(one: Row, other: Row) -> bool:
    has_ended = [row["state"] not in OPEN_STATES | {None} for row in (one, other)]
    if has_ended[0] != has_ended[1]:
        return has_ended[0]
    return _last_moment(one) > _last_moment(other)


def _last_moment(row: Row) -> float:
    moment = row["summary"].get("_timestamp")
    return moment if isinstance(moment, int | float) else float("-inf")


def _united(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Both, the later one's values before the earlier one's, and any before none."""
    said = {key: value for key, value in later.items() if value is not None or key not in earlier}
    return {**earlier, **said}
