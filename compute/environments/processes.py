"""Running a Python interpreter as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

from compute.environments.environment import Environment
from lake.errors import InvalidInputError, JobFailedError

LONGEST_REASON = 300  # characters


@dataclass(frozen=True)
class Output:
    """What a process left: its exit code, negative for a signal, and what it printed."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        """Why it failed, on one line: the signal, or the last thing it said."""
        if self.returncode < 0:
            return f"it was ended by {signal.Signals(-self.returncode).name}"
        lines = (self.stderr.strip() or self.stdout.strip()).splitlines()
        said = f": {lines[-1].strip().rstrip('.')[:LONGEST_REASON]}" if lines else ""
        return f"it ended with code {self.returncode}{said}"


def process_variables() -> dict[str, str]:
    """Environment variables for an interpreter of another environment.

    The folder one happens to be in must not lend it modules: in a checkout of another version,
    ``import lake`` would find that one.
    """
    return {**os.environ, "PYTHONSAFEPATH": "1"}


def run_python(
    environment: Environment, arguments: Sequence[str], *, stdin: str = "", timeout_s: float
) -> Output:
    """Run an interpreter to its end.

    Raises
    ------
    InvalidInputError
        It cannot be started.
    JobFailedError
        It did not end in time; it was ended with all it had started.
    """
    with ExitStack() as stack:
        # Files, because a pipe is read until all have let go of it, also what a model left running.
        given, stdout, stderr = (stack.enter_context(TemporaryFile()) for _ in range(3))
        given.write(stdin.encode())
        given.seek(0)
        process = _start(environment, arguments, given, stdout, stderr)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise JobFailedError(
                f"The {environment} gave no answer in {timeout_s:g} s and was ended. Expected one "
                "sooner, also from a slow file system. Run it by hand to see what it waits for: "
                f"{environment.python} -c 'print(1)'"
            ) from error
        finally:
            _end(process)
        return Output(process.returncode, _text(stdout), _text(stderr))


def _start(
    environment: Environment,
    arguments: Sequence[str],
    stdin: IO[bytes],
    stdout: IO[bytes],
    stderr: IO[bytes],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [environment.python, *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=process_variables(),
            start_new_session=True,  # so that all it starts can be ended with it
        )
    except OSError as error:
        raise InvalidInputError(
            f"The {environment} cannot be started: {error.strerror}. Expected a Python "
            "interpreter there. Mend it, or give another with atomlake env add."
        ) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs, with all it has started."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
