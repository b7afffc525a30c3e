"""What a model file says of itself, asked in the environment it runs in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from compute.engines.engine import ModelFacts
from compute.environments.environment import Environment
from compute.environments.processes import Output, run_python
from compute.models.model import Options
from lake.errors import AtomlakeError, InvalidInputError, JobFailedError, NotFoundError

DESCRIBE_TIMEOUT_S = 600.0  # large models on a cold network file system
_INPUT_ERRORS = {kind.__name__: kind for kind in (InvalidInputError, NotFoundError)}


def describe(
    environment: Environment,
    engine: str,
    path: str,
    options: Options,
    *,
    timeout_s: float = DESCRIBE_TIMEOUT_S,
) -> ModelFacts:
    """Load a model in its environment, which runs code from its file, and say what it is.

    Raises
    ------
    InvalidInputError, NotFoundError
        The file or an option is not what the engine expects.
    JobFailedError
        It failed otherwise, or gave no answer in time.
    """
    request = json.dumps({"engine": engine, "path": path, "options": dict(options)})
    output = run_python(
        environment, ["-m", "compute.engines.describe"], stdin=request, timeout_s=timeout_s
    )
    answer = _last_object(output.stdout)
    if output.returncode != 0 or answer is None or "error" in answer:
        raise _failure(environment, path, output, answer or {})
    elements = answer.get("elements")
    return ModelFacts(
        elements=None if elements is None else tuple(elements),
        r_max=answer.get("r_max"),
        dtype=answer.get("dtype"),
        n_parameters=answer.get("n_parameters"),
        layers=tuple(answer.get("layers") or ()),
        config=answer.get("config") or {},
    )


def _last_object(text: str) -> Mapping[str, Any] | None:
    """The JSON object on the last line that is one; libraries may print around it."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                return found
    return None


def _failure(
    environment: Environment, path: str, output: Output, answer: Mapping[str, Any]
) -> AtomlakeError:
    if message := answer.get("message"):
        kind = _INPUT_ERRORS.get(str(answer["error"]), JobFailedError)
        return kind(str(message))
    reason = output.reason if output.returncode else "it gave no answer"
    return JobFailedError(
        f"{path} was not loaded in the {environment}: {reason}. Expected a description of the "
        f"model. See what 'atomlake env check {environment.name}' says."
    )
