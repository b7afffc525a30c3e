"""What a worker tells the process that started it: one JSON object per line."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, TextIO


class Events:
    """Writes events to what was standard output when the worker began.

    Engines print; so standard output itself is turned over to standard error.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stream: TextIO = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        sys.stdout.flush()
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def send(self, event: str, **facts: Any) -> None:
        """Tell of something that happened.

        Raises
        ------
        BrokenPipeError
            Nobody listens any more.
        """
        with self._lock:
            self._stream.write(json.dumps({"event": event} | facts) + "\n")
            self._stream.flush()
