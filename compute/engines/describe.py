"""``python -m compute.engines.describe``: what a model file says of itself, as a line of JSON.

It runs in the environment of the model. The job comes on standard input, an object with
``engine``, ``path`` and ``options``. The answer is `ModelFacts`, or ``error`` and ``message``; the
exit code 0, 1 where the model is at fault, 2 where the job is.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TextIO

from compute.engines.loading import load_engine
from compute.engines.process_end import run_and_end
from lake.errors import AtomlakeError, InvalidInputError


def main() -> int:
    """Answer the job; the exit code."""
    with _own_output() as output:
        code, answer = _answer(sys.stdin.buffer.read())
        print(json.dumps(answer), file=output)
    return code


def _answer(text: bytes) -> tuple[int, Mapping[str, Any]]:
    try:
        engine, path, options = _read(text)
    except InvalidInputError as error:
        return 2, _told(error)
    try:
        loaded = load_engine(engine, path, device="cpu", dtype=None, options=options)
    except AtomlakeError as error:
        return 1, _told(error)
    return 0, asdict(loaded.facts)


def _read(text: bytes) -> tuple[str, str, Mapping[str, Any]]:
    try:
        job = json.loads(text)
        engine, path, options = job["engine"], job["path"], job.get("options") or {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInputError(
            f"The job on standard input cannot be read: {error!r}. A JSON object with engine, path "
            "and options is expected."
        ) from None
    if not isinstance(engine, str) or not isinstance(path, str) or not isinstance(options, dict):
        raise InvalidInputError(
            "The job on standard input: engine and path must be text, options an object."
        )
    return engine, path, options


def _told(error: AtomlakeError) -> Mapping[str, str]:
    return {"error": type(error).__name__, "message": str(error)}


@contextmanager
def _own_output() -> Iterator[TextIO]:
    """Standard output for the answer alone; what anything else prints goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(kept, "w", encoding="utf-8") as output:
        yield output


if __name__ == "__main__":
    run_and_end(main)
