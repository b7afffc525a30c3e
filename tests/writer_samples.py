"""Writers in processes of their own, and writers that come in between."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lake.lake import Lake
from lake.log import transaction

TESTS = Path(__file__).parent


def process(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dying_writer", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=TESTS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def before_commit(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Let others act once, after the next operation wrote its entries and before it commits."""
    put_commit, calls = transaction.put_commit, []

    def slow(*arguments):
        if not calls:
            calls.append(1)
            act()
        return put_commit(*arguments)

    monkeypatch.setattr(transaction, "put_commit", slow)


def once_planned(monkeypatch: pytest.MonkeyPatch, lk: Lake, act: Callable[[], object]) -> None:
    """Let others act once, after the next operation of `lk` was planned and before it commits."""
    commit, calls = lk.commit, []

    def overtaken(operation, plan, **named):
        def slow_plan(state):
            changes = plan(state)
            if not calls:
                calls.append(1)
                act()
            return changes

        return commit(operation, slow_plan, **named)

    monkeypatch.setattr(lk, "commit", overtaken)
