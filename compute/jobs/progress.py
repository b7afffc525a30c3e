"""How far a job is, on standard error."""

from __future__ import annotations

from contextlib import AbstractContextManager

from compute.jobs.report import Tally
from compute.jobs.running import Progress
from compute.progress_line import line_shown


def progress_shown(*, is_wanted: bool) -> AbstractContextManager[Progress]:
    """A callback that shows structures, atoms/s, failures and time left on standard error."""
    return line_shown(progress_text, is_wanted=is_wanted)


def progress_text(tally: Tally, seconds: float) -> str:
    """The line that is shown."""
    answered = tally.n_missing - tally.n_left
    rate = tally.count("atoms") / max(seconds, 1e-9)
    text = (
        f"{answered:,} of {tally.n_missing:,} structures, {rate:,.0f} atoms/s, "
        f"{tally.count('failed'):,} failed"
    )
    if answered:
        text += f", {_duration(seconds / answered * tally.n_left)} left"
    return text


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
