"""Contenders take turns at the same task, so that what slows the machine slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.result import Goal, Quantity, Result
from benchmarks.setting import Setting

Figures = Mapping[Quantity, float]


class NotInstalledError(Exception):
    """A contender is not installed here."""


@dataclass(frozen=True)
class Contender:
    """One way of doing a task. ``measure`` gets an empty folder and does it once."""

    name: str
    measure: Callable[[Path], Figures]
    goals: Mapping[Quantity, Goal] = field(default_factory=dict)


@dataclass
class Stopwatch:
    """Seconds a block took."""

    seconds: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Time a block."""
    watch = Stopwatch()
    start = time.perf_counter()
    yield watch
    watch.seconds = time.perf_counter() - start


def compare(
    question: str,
    contenders: Sequence[Contender],
    setting: Setting,
    *,
    repeats: int | None = None,
    is_race: bool = True,
) -> list[Result]:
    """Let contenders take turns; the figures of each, beside the first one's if it `is_race`."""
    figures: dict[tuple[str, Quantity], list[float]] = {}
    missing: dict[str, str] = {}
    for turn in range(setting.repeats if repeats is None else repeats):
        first = turn % len(contenders)  # whoever goes first finds the cache as others left it
        for contender in (*contenders[first:], *contenders[:first]):
            if contender.name in missing:
                continue
            try:
                with setting.scratch() as folder:
                    taken = contender.measure(folder)
            except NotInstalledError as error:
                missing[contender.name] = str(error)
                continue
            for quantity, value in taken.items():
                figures.setdefault((contender.name, quantity), []).append(value)
    results = _results(question, contenders, figures, missing, is_race=is_race)
    # Goals are for full sizes; at tiny ones starting costs more than working.
    return [replace(result, goal=None) for result in results] if setting.is_quick else results


def _results(
    question: str,
    contenders: Sequence[Contender],
    figures: Mapping[tuple[str, Quantity], list[float]],
    missing: Mapping[str, str],
    *,
    is_race: bool,
) -> list[Result]:
    ours: dict[Quantity, float | None] = {}
    results = []
    for contender in contenders:
        if contender.name in missing:
            results.append(Result(question, contender.name, None, note=missing[contender.name]))
        for (name, quantity), values in figures.items():
            if name != contender.name:
                continue
            result = Result(
                question,
                name,
                quantity,
                tuple(values),
                ours.get(quantity),
                contender.goals.get(quantity),
            )
            results.append(result)
            if is_race:
                ours.setdefault(quantity, result.figure)
    return results
