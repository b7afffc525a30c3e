"""A `.wandb` file as one run."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from ingest.frames.frames import Reject
from ingest.runs.logged_run import UNKNOWN, LogFile, LoggedFile, LoggedRun
from ingest.runs.wandb_file.history_frame import history_columns
from ingest.runs.wandb_file.items import Path
from ingest.runs.wandb_file.media import decoded_or_text, nested_object
from ingest.runs.wandb_file.record_log import RecordLog
from ingest.runs.wandb_file.records import RunRecords
from ingest.runs.wandb_file.run_content import read_content
from lake.errors import InvalidInputError

OWN_KEYS = ("_wandb", "wandb_version")  # wandb's notes to itself, which its own API leaves out
_ATTRIBUTES = ("entity", "group", "job_type", "notes", "sweep", "host")


def read_wandb_file(file: LogFile) -> LoggedFile:
    """The run in a `.wandb` file, with all that it logged up to where the file ends.

    Records that are damaged, or not known, are rejected one by one, and the others read.

    Raises
    ------
    InvalidInputError
        It is no `.wandb` file, or the run is not named in it.
    """
    log = RecordLog(file.data)
    content = read_content(log)
    records = content.records
    columns = history_columns(content.history)
    damages = [
        Reject(-1, 0, f"at byte {damage.offset}: {damage.reason}. What came before and after was "
               "read. Copy the file again.")
        for damage in log.damages
    ]  # fmt: skip
    run_id = _run_id(file, records)
    run = LoggedRun(
        run_id,
        file.name or records.texts.get("display_name") or run_id,
        records.texts.get("project"),
        _state(records),
        _object(records.config.items()),
        _object(records.summary.items()),
        _attributes(records),
        records.started_at,
        columns.frame,
    )
    return LoggedFile(
        [run], columns.kinds, [*damages, *content.rejects, *columns.rejects], _notes(log, records)
    )


def _run_id(file: LogFile, records: RunRecords) -> str:
    """The id in the file, or in its name where the record of the run is broken."""
    found = records.texts.get("run_id")
    stem = PurePath(file.uri).name.partition(".wandb")[0]
    if found is None and stem.startswith("run-") and len(stem) > len("run-"):
        found = stem.removeprefix("run-")
    if found is None:
        raise InvalidInputError(
            "no record names the run, nor does the file. Expected run-ID.wandb. Rename it so."
        )
    return found


def _state(records: RunRecords) -> str:
    if records.exit_code is None:
        return UNKNOWN
    return "failed" if records.exit_code else "finished"


def _attributes(records: RunRecords) -> dict[str, Any]:
    said: dict[str, Any] = {n: records.texts[n] for n in _ATTRIBUTES if n in records.texts}
    if records.tags:
        said["tags"] = records.tags
    if records.exit_code is not None:
        said["exit_code"] = records.exit_code
    return said


def _object(items: dict[Path, bytes]) -> dict[str, Any]:
    """Config or summary as an object; a value that is no JSON stays text."""
    values = {
        path: decoded_or_text(value) for path, value in items.items() if path[0] not in OWN_KEYS
    }
    return nested_object(values)


def _notes(log: RecordLog, records: RunRecords) -> list[str]:
    notes = []
    if log.torn_at is not None:
        notes.append(
            f"the file ends within a record, at byte {log.torn_at} of {len(log.data)}: it is being "
            "written, or its writer was killed. Everything before was read."
        )
    if records.exit_code is None:
        notes.append("the run has not ended, or its end was not written: its state is unknown.")
    if records.others:
        counts = ", ".join(f"{n:,} {name}" for name, n in sorted(records.others.items()))
        notes.append(f"records that hold no training history: {counts}.")
    return notes
