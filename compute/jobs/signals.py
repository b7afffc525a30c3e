"""Signals that tell a command and its workers to commit what they have and to end."""

from __future__ import annotations

import signal

# The last one comes when a terminal or a connection is closed.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def heard_signals() -> list[signal.Signals]:
    """Those of `STOP_SIGNALS` this process was not started to ignore, as under ``nohup``."""
    return [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
