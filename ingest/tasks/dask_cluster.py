"""A Dask cluster as an executor."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from typing import cast

from lake.errors import InvalidInputError, JobFailedError

CONNECT_TIMEOUT_S = 10


@contextmanager
def open_cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """The executor of a running cluster, and how many threads its workers have in all.

    Raises
    ------
    InvalidInputError
        The extra ``dask`` is not installed, no scheduler answers, or it has no workers.
    JobFailedError
        The cluster lost a task for good.
    """
    try:
        from distributed import Client, KilledWorker
        from distributed.comm.core import CommClosedError
    except ImportError:
        raise InvalidInputError(
            "--scheduler needs Dask, which is not installed. "
            "Install it with: pip install 'atomlake[dask]'"
        ) from None
    try:
        client = Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"--scheduler {address}: no Dask scheduler answers there ({error}). Expected an "
            "address such as tcp://host:8786. Check that it runs and can be reached."
        ) from error
    with client:
        n_threads = sum(client.nthreads().values())
        if not n_threads:
            raise InvalidInputError(
                f"--scheduler {address}: the cluster has no workers. Start some and try again."
            )
        try:
            yield cast(Executor, client.get_executor(pure=False)), n_threads
        except (KilledWorker, CancelledError, CommClosedError) as error:
            raise JobFailedError(
                f"--scheduler {address}: the cluster lost a task ({error}). Nothing was committed. "
                "See the logs of its workers, and run the same command again."
            ) from error
