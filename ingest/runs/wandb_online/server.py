"""The door to wandb's public API: the runs of a project, and the exports of their histories."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.runs.logged_run import UNKNOWN
from lake.errors import InvalidInputError, StorageError

_TIMEOUT_S = 60
HEARTBEAT = "heartbeat_at"


@dataclass(frozen=True)
class ServerRun:
    """A run as the server describes it; ``handle`` is wandb's own object."""

    run_id: str
    name: str
    state: str
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    attributes: Mapping[str, Any]
    created_at: datetime | None
    handle: Any = field(repr=False)


class WandbServer:
    """The server wandb is set up for: ``WANDB_BASE_URL``, ``WANDB_API_KEY``, or `wandb login`."""

    def __init__(self) -> None:
        wandb = _wandb()
        with _told_as_ours("the server"):
            self._api = wandb.Api(timeout=_TIMEOUT_S)

    @property
    def url(self) -> str:
        """Address of the server."""
        return str(self._api.settings["base_url"]).rstrip("/")

    def runs(self, path: str) -> Iterator[ServerRun]:
        """The runs of ``ENTITY/PROJECT``, oldest first.

        Raises
        ------
        InvalidInputError
            There is no such project, or no permission to read it.
        StorageError
            The server does not answer.
        """
        with _told_as_ours(path):
            # Not lazy: config and summary come with the page, and not one request per run.
            for run in self._api.runs(path, order="+created_at", lazy=False):
                yield _described(run)

    def download(self, run: ServerRun, folder: Path) -> list[Path] | None:
        """Files with the whole history of a run; None where the server has not exported all yet.

        Raises
        ------
        StorageError
            A file could not be downloaded.
        """
        from wandb.apis.public.runhistory import IncompleteRunHistoryError

        with _told_as_ours(f"the history of run {run.run_id}"):
            try:
                result = run.handle.download_history_exports(folder, require_complete_history=True)
            except IncompleteRunHistoryError:
                return None
        if result.errors:
            path, message = next(iter(result.errors.items()))
            raise StorageError(
                f"run {run.run_id}: {path.name} could not be downloaded ({message}). What was read "
                "before is committed. Run the same command again."
            )
        return [Path(path) for path in result.paths]


def _wandb() -> Any:
    try:
        import wandb
    except ImportError as error:
        raise InvalidInputError(
            f"wandb cannot be imported ({error}). Expected it for runs of a server; files are read "
            "without it. Install it with: pip install 'atomlake[wandb]'"
        ) from None
    logging.getLogger("wandb").setLevel(logging.ERROR)
    return wandb


def _described(run: Any) -> ServerRun:
    said = {
        "entity": run.entity,
        "group": run.group,
        "job_type": run.job_type,
        "notes": run.notes,
        "tags": list(run.tags or ()),
        "sweep": run.sweep_name,
        HEARTBEAT: run.heartbeat_at,
    }
    return ServerRun(
        run.id,
        run.name or run.id,
        run.state or UNKNOWN,
        dict(run.config),
        dict(run.summary_metrics or {}),
        {name: value for name, value in said.items() if value},
        _moment(run.created_at),
        run,
    )


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


@contextmanager
def _told_as_ours(what: str) -> Iterator[None]:
    """Turn errors of wandb and of the network into those of atomlake."""
    from wandb.errors import AuthenticationError, CommError, UsageError
    from wandb.sdk.lib.service.service_connection import WandbApiFailedError

    try:
        yield
    except (AuthenticationError, UsageError) as error:
        raise InvalidInputError(
            f"wandb, {what}: {error}. Expected to be logged in. Set WANDB_API_KEY, or run 'wandb "
            "login'; of a server of your own, set WANDB_BASE_URL too."
        ) from error
    except (CommError, WandbApiFailedError, ValueError) as error:
        raise StorageError(
            f"wandb, {what}: {error}. Expected an answer of the server. Check the name of entity "
            "and project and the network, and run the same command again: what was read before is "
            "committed."
        ) from error
