"""What the records of a `.wandb` file say: history rows, and what is known of the run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from ingest.runs.history import moment
from ingest.runs.wandb_file.items import Path, message_fields, read_item, read_step
from ingest.runs.wandb_file.wire_format import BYTES, VARINT, fields, signed

_NUM = 1 << 3 | VARINT
_HISTORY, _SUMMARY, _CONFIG, _RUN, _EXIT = (n << 3 | BYTES for n in (2, 3, 5, 17, 18))
# Records that say nothing of what a run logged; they are counted under these names.
_OTHERS = {
    4: "output", 6: "files", 7: "system metrics", 8: "artifacts", 9: "tensorboard", 10: "alerts",
    11: "telemetry", 12: "definitions of metrics", 13: "output", 20: "final", 21: "headers",
    22: "footers", 23: "preempting", 24: "artifacts", 25: "artifacts", 26: "environments",
    27: "output", 100: "requests",
}  # fmt: skip
_BESIDE = frozenset({1, 16, 19, 200})  # num, control, uuid and _info, beside what a record holds
_RUN_TEXTS = {
    1: "run_id", 2: "entity", 3: "project", 6: "group", 7: "job_type", 8: "display_name",
    9: "notes", 12: "sweep", 13: "host",
}  # fmt: skip
_RUN_FIELDS = frozenset({*range(1, 15), *range(16, 25), 200})
_TAGS, _START_TIME = 10 << 3 | BYTES, 17 << 3 | BYTES
_ITEM, _STEP, _REMOVE = 1 << 3 | BYTES, 2 << 3 | BYTES, 2 << 3 | BYTES


@dataclass(frozen=True)
class HistoryRow:
    """One history row: the index of its record, its step where one is written, its items."""

    record: int
    step: int | None
    items: list[tuple[Path, bytes]]


@dataclass
class Settings:
    """Config or summary: values set and taken away by records, in whatever order they are told."""

    _values: dict[Path, tuple[int, bytes]] = field(default_factory=dict)
    _removals: list[tuple[int, Path]] = field(default_factory=list)

    def put(self, record: int, path: Path, value: bytes) -> None:
        """Set a value, unless a later record has set it."""
        if path not in self._values or self._values[path][0] <= record:
            self._values[path] = (record, value)

    def remove(self, record: int, path: Path) -> None:
        """Take away what earlier records have set at a path or below."""
        self._removals.append((record, path))

    def items(self) -> dict[Path, bytes]:
        """What is set in the end, in the order in which it was."""
        left = sorted(self._values.items(), key=lambda item: item[1][0])
        return {
            path: value
            for path, (record, value) in left
            if not any(record < at and path[: len(gone)] == gone for at, gone in self._removals)
        }


@dataclass
class RunRecords:
    """Everything read from the records so far."""

    rows: list[HistoryRow] = field(default_factory=list)
    config: Settings = field(default_factory=Settings)
    summary: Settings = field(default_factory=Settings)
    texts: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    started_at: datetime | None = None
    exit_code: int | None = None
    others: Counter[str] = field(default_factory=Counter)

    def add(self, record: int, payload: bytes) -> None:
        """Take one record, the `record`-th of the file.

        Raises
        ------
        ValueError
            It is no record, or holds what is not known.
        """
        is_known = False
        for tag, number, first, last in fields(payload, 0, len(payload)):
            if tag == _HISTORY:
                self._add_history(record, payload[first:last])
            elif tag in (_SUMMARY, _CONFIG):
                target = self.summary if tag == _SUMMARY else self.config
                _update(target, record, payload[first:last])
            elif tag == _RUN:
                self._add_run(record, payload[first:last])
            elif tag == _EXIT:
                self._add_exit(payload[first:last])
            elif number in _OTHERS:
                self.others[_OTHERS[number]] += 1
            elif number in _BESIDE:
                continue
            else:
                raise ValueError(f"a record of the unknown kind {number}")
            is_known = True
        if not is_known:
            raise ValueError("a record holds nothing")

    def _add_history(self, record: int, message: bytes) -> None:
        items = []
        step: int | None = None
        for tag, number, start, end in fields(message, 0, len(message)):
            if tag == _ITEM:
                items.append(read_item(message[start:end]))
            elif tag == _STEP:
                step = read_step(message[start:end])
            elif number != 200:
                raise ValueError(f"a history row has the unknown field {number}")
        self.rows.append(HistoryRow(record, step, items))

    def _add_run(self, record: int, message: bytes) -> None:
        texts: dict[str, str] = {}
        tags: list[str] = []
        for tag, number, start, end in message_fields(message, _RUN_FIELDS, "a run"):
            if number in _RUN_TEXTS and tag & 7 == BYTES:
                texts[_RUN_TEXTS[number]] = message[start:end].decode()
            elif tag == _TAGS:
                tags.append(message[start:end].decode())
            elif tag == _START_TIME:
                self.started_at = _moment(message[start:end])
            elif tag in (4 << 3 | BYTES, 5 << 3 | BYTES):
                _update(self.config if number == 4 else self.summary, record, message[start:end])
        self.texts |= {name: text for name, text in texts.items() if text}
        self.tags = tags or self.tags

    def _add_exit(self, message: bytes) -> None:
        code, is_complete = 0, True
        for tag, _, value, _ in message_fields(message, frozenset({1, 2, 3, 200}), "an exit"):
            if tag == _NUM:
                code = signed(value)
            elif tag == 3 << 3 | VARINT:
                is_complete = not value
        if is_complete:
            self.exit_code = code


def _update(target: Settings, record: int, message: bytes) -> None:
    """Apply the updates and removals of a ConfigRecord or SummaryRecord."""
    for tag, number, start, end in fields(message, 0, len(message)):
        if tag == _ITEM:
            target.put(record, *read_item(message[start:end]))
        elif tag == _REMOVE:
            target.remove(record, _removed_path(message[start:end]))
        elif number != 200:
            raise ValueError(f"a config or summary has the unknown field {number}")


def _removed_path(message: bytes) -> Path:
    key, nested = "", []
    for tag, number, start, end in fields(message, 0, len(message)):
        if tag == _ITEM:
            key = message[start:end].decode()
        elif tag == _REMOVE:
            nested.append(message[start:end].decode())
        elif number != 16:
            raise ValueError(f"an item to remove has the unknown field {number}")
    if not key and not nested:
        raise ValueError("an item to remove has no key")
    return tuple(nested) or (key,)


def _moment(message: bytes) -> datetime | None:
    seconds = nanoseconds = 0
    for tag, _, value, _ in fields(message, 0, len(message)):
        if tag == _NUM:
            seconds = signed(value)
        elif tag == 2 << 3 | VARINT:
            nanoseconds = signed(value)
    return moment(seconds + nanoseconds // 1000 / 1e6)
