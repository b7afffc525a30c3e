"""What an environment has: the versions of Python, atomlake and the packages of the engines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from compute.environments import probe_source
from compute.environments.engine_packages import DISTRIBUTIONS, ENGINES
from compute.environments.environment import Environment
from compute.environments.processes import Output, run_python
from compute.environments.worker_packages import WORKER
from lake.errors import InvalidInputError

OLDEST_PYTHON = (3, 11)
PROBE_TIMEOUT_S = 60.0
# Older Pythons cannot read the probe itself.
_START = (
    "import sys\n"
    f"if sys.version_info < {OLDEST_PYTHON}:\n"
    f"    sys.stdout.write({probe_source.MARK!r} + '\"%d.%d.%d\"\\n' % sys.version_info[:3])\n"
    "else:\n"
    "    exec(sys.argv[1])\n"
)


@dataclass(frozen=True)
class Probe:
    """What there is in an environment, found without importing any of it.

    ``packages`` has the version of each package that engines and workers need, None where it is not
    there, and "unknown" where another distribution brings it. ``gpus`` names the GPUs torch was
    built for and the driver shows.
    """

    environment: Environment
    python_version: str
    atomlake: str | None
    packages: Mapping[str, str | None]
    has_pip: bool
    gpus: Sequence[str]

    @property
    def engines(self) -> dict[str, str]:
        """The engines whose packages are all there, with the version of the engine's own."""
        return {
            engine: str(self.packages[engine])
            for engine, needed in ENGINES.items()
            if all(self.packages[package] is not None for package in needed)
        }

    @property
    def devices(self) -> list[str]:
        """What models can run on, e.g. ``cuda:0 NVIDIA H100``."""
        return ["cpu", *(f"cuda:{i} {name}" for i, name in enumerate(self.gpus))]


def probe(environment: Environment) -> Probe:
    """Look what an environment has.

    Raises
    ------
    InvalidInputError
        Its interpreter does not run, or is too old.
    """
    source = files("compute").joinpath("environments", "probe_source.py").read_text("utf-8")
    output = run_python(
        environment,
        ["-c", _START, source, json.dumps({name: name for name in WORKER} | DISTRIBUTIONS)],
        timeout_s=PROBE_TIMEOUT_S,
    )
    found = _answer(environment, output)
    if isinstance(found, str):
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise InvalidInputError(
            f"The {environment} is Python {found}. Expected Python {oldest} or newer. "
            f"Make an environment with a newer one, e.g. python{oldest} -m venv PATH"
        )
    return Probe(
        environment,
        found["python"],
        found["atomlake"],
        found["packages"],
        found["has_pip"],
        tuple(found["gpus"]),
    )


def _answer(environment: Environment, output: Output) -> Any:
    """What the probe found, or the version of a Python too old to run it."""
    lines = [line for line in output.stdout.splitlines() if line.startswith(probe_source.MARK)]
    try:
        return json.loads(lines[-1].removeprefix(probe_source.MARK))
    except (IndexError, ValueError):
        raise InvalidInputError(
            f"The {environment} does not run as Python: {output.reason}. Expected an interpreter "
            f"that runs: {environment.python} -c 'print(1)'. Mend it, or give another."
        ) from None
