"""How a process that ran the code of others ends."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import NoReturn

LONGEST_S = 5.0


def end_process(code: int) -> NoReturn:
    """End with an exit code, also where a model left a thread that never ends."""
    threading.Thread(target=_end_late, args=(code,), daemon=True).start()
    sys.exit(code)


def _end_late(code: int) -> None:
    time.sleep(LONGEST_S)
    os._exit(code)
