"""How a process that runs the code of others ends."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

LONGEST_S = 5.0


def run_and_end(main: Callable[[], int]) -> NoReturn:
    """Run `main` and end with its exit code, also where a model left a thread that never ends."""
    try:
        code = main()
    except BaseException:  # noqa: BLE001 - told as Python would, which would wait for the thread
        traceback.print_exc()
        code = 1
    threading.Thread(target=_end_late, args=(code,), daemon=True).start()
    sys.exit(code)


def _end_late(code: int) -> None:
    time.sleep(LONGEST_S)
    os._exit(code)
