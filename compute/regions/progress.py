"""How far a job of regions is, on standard error."""

from __future__ import annotations

from contextlib import AbstractContextManager

from compute.progress_line import line_shown
from compute.regions.running import Progress


def progress_shown(*, is_wanted: bool) -> AbstractContextManager[Progress]:
    """A callback that shows structures done, structures/s and time left on standard error."""
    return line_shown(progress_text, is_wanted=is_wanted)


def progress_text(done: int, total: int, seconds: float) -> str:
    """The line that is shown."""
    rate = done / max(seconds, 1e-9)
    left = f", {(total - done) / rate:,.0f} s left" if done else ""
    return f"{done:,} of {total:,} structures, {rate:,.0f} structures/s{left}"
