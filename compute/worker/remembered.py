"""Budgets that were found, kept on this machine between jobs."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path


def recall(key: str) -> int | None:
    """The budget found earlier, in edges; None where there is none."""
    load = _all().get(key)
    return load if isinstance(load, int) and load > 0 else None


def remember(key: str, load: int) -> None:
    """Keep a budget. Of two jobs at once one may be forgotten: it would be found anew."""
    kept = _all() | {key: load}
    file = _file()
    # A home that cannot be written to, as on some cluster nodes, only costs finding it again.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f"{file.name}.{os.getpid()}")
        try:
            new.write_text(json.dumps(kept, indent=1, sort_keys=True), "utf-8")
            new.replace(file)
        finally:
            new.unlink(missing_ok=True)  # what a full disk left of it


def _all() -> dict[str, object]:
    try:
        kept = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _file() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "atomlake" / "budgets.json"
