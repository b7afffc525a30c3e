"""Questions that have a name, from Python."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lake.errors import NotFoundError

if TYPE_CHECKING:
    from lake.lake import Lake

# Dotted strings: an answer's libraries are loaded when it is asked for.
ANSWERS = {
    "losses": "queries.losses.comparison:compare",
    "ood": "queries.ood.asking:answer",
}


def ask(lake: Lake, question: str, **options: Any) -> Any:
    """Answer a question.

    Parameters
    ----------
    question
        ``"losses"``: see `queries.losses.comparison.compare`, which gives a
        `queries.losses.result.LossComparison`. ``"ood"``: see `queries.ood.asking.answer`, which
        gives a `queries.ood.result.OodScores`.
    options
        Those of the function that answers.

    Raises
    ------
    NotFoundError
        There is no such question.
    """
    if question not in ANSWERS:
        raise NotFoundError.among("question", question, ANSWERS)
    module, _, function = ANSWERS[question].partition(":")
    return getattr(import_module(module), function)(lake, **options)
