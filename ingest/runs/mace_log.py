"""MACE's ``results/*_train.txt``: one JSON object per line, of a training step or a validation."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from ingest.frames.frames import EXCERPT_LENGTH, Reject
from ingest.runs.history import EPOCH_KEY, History, epoch_in
from ingest.runs.logged_run import LogFile, LoggedFile, LoggedRun, made_up_id
from ingest.runs.logged_values import decode_json
from lake.errors import InvalidInputError

SUFFIX = "_train.txt"
_SEED = re.compile(r"_run-(\d+)$")
_COLUMNS = ("mode", "head", EPOCH_KEY)
_ONLY_HEAD = "Default"


def read_mace_log(file: LogFile) -> LoggedFile:
    """The run in a log of MACE.

    The step of a line is its index, from 0, as wandb counts: MACE writes none. Keys are those of
    MACE behind the mode, ``opt/loss`` and ``eval/rmse_f``; of several heads ``eval/HEAD/rmse_f``.
    The run is named after the file, ``NAME_run-SEED``, as MACE names the model; its identity comes
    of its first line, which holds measured times, so that a log is the same run wherever it lies.

    Raises
    ------
    InvalidInputError
        The file has no line MACE could have written.
    """
    text = file.data.decode("utf-8", "replace")
    lines = text.split("\n")
    history = History()
    rejects: list[Reject] = []
    notes = ["MACE's log does not say whether a run has ended: its state is unknown."]
    first_line = None
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        row = _row(line)
        if row is None:
            if index == len(lines) - 1:  # no line end: it is being written
                notes.append(f"line {index + 1} ends too early: it is being written.")
            else:
                rejects.append(_reject(index, line))
            continue
        first_line = first_line or line
        _add(history, index, row)
    if first_line is None:
        raise InvalidInputError(
            "no line is a JSON object with the key 'mode'. Expected MACE's results/*_train.txt. "
            "Name that file."
        )
    name = file.name or PurePath(file.uri).name.removesuffix(SUFFIX)
    run = LoggedRun(made_up_id("mace", first_line), name, config=_config(name),
                    history=history.frame())  # fmt: skip
    return LoggedFile([run], history.kinds, rejects, notes)


def _row(line: str) -> dict[str, Any] | None:
    try:
        row = decode_json(line)
    except ValueError:
        return None
    is_row = isinstance(row, dict) and isinstance(row.get("mode"), str)
    return row if is_row else None


def _reject(index: int, line: str) -> Reject:
    reason = "it is no JSON object with the key 'mode'. Expected lines as MACE writes them."
    return Reject(index, index + 1, reason, line[:EXCERPT_LENGTH])


def _add(history: History, index: int, row: dict[str, Any]) -> None:
    head = row.get("head")
    prefix = row["mode"] if head in (None, _ONLY_HEAD) else f"{row['mode']}/{head}"
    values = [(f"{prefix}/{key}", value) for key, value in row.items() if key not in _COLUMNS]
    history.add(index, values, epoch=epoch_in(row.get(EPOCH_KEY)), line=index + 1)


def _config(name: str) -> dict[str, Any]:
    seed = _SEED.search(name)
    return {"seed": int(seed[1])} if seed else {}
