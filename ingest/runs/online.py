"""Ingest of the runs of a wandb project from its server, whole histories only."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.runs.accounts import ReadSource
from ingest.runs.landing import RunsLanding
from ingest.runs.logged_run import OPEN_STATES, LoggedFile, LoggedRun
from ingest.runs.report import RunsReport, joined
from ingest.runs.wandb_online.exported_history import read_exports
from ingest.runs.wandb_online.server import HEARTBEAT, ServerRun, WandbServer
from ingest.sources.inputs import Input
from ingest.tasks.tasks import Source, sources_of
from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.names import check_name

OPERATION = "ingest wandb"
FORMAT = "wandb-server"
_MOST_VALUES = 2_000_000  # in one commit
_COMMIT_EVERY_S = 60.0


@dataclass
class _Batch:
    """Runs read and not committed yet."""

    read: list[ReadSource] = field(default_factory=list)
    n_values: int = 0
    begun_s: float = field(default_factory=time.monotonic)

    def add(self, read: ReadSource) -> None:
        """Take one run."""
        self.read.append(read)
        self.n_values += read.n_values

    @property
    def is_full(self) -> bool:
        late = time.monotonic() - self.begun_s >= _COMMIT_EVERY_S
        return bool(self.read) and (late or self.n_values >= _MOST_VALUES)


def ingest_wandb_project(lake: Lake, project: str | None, strict: bool = False) -> RunsReport:
    """Read all runs of a project of a wandb server, with their whole histories.

    Runs are committed some at a time, so a command that was cut off goes on where it was. A run
    that has ended and was read whole is left alone, unless the server has heard of it since. One
    whose history the server has not exported yet goes in without it, and is read again next time.

    Parameters
    ----------
    project
        ``ENTITY/PROJECT``.

    Raises
    ------
    InvalidInputError
        The project is not named so, or cannot be read.
    StorageError
        The server does not answer.
    """
    name = _project_name(project)
    server = WandbServer()
    path = str(project)
    reports = []
    batch = _Batch()
    left_alone = 0
    known = _known_heartbeats(lake, name)
    with TemporaryDirectory() as folder:
        try:
            for run in server.runs(path):
                if _is_whole(run, known):
                    left_alone += 1
                    continue
                batch.add(_read(server, run, path, name, Path(folder)))
                if batch.is_full:
                    full, batch = batch, _Batch()
                    reports.append(_commit(lake, full, path, strict))
        finally:  # what was read is kept, also where the server fails at the next run
            if batch.read:
                reports.append(_commit(lake, batch, path, strict))
    return joined([*reports, RunsReport(left_alone=left_alone)])


def _project_name(project: str | None) -> str:
    if project is None:
        raise InvalidInputError(
            "There is nothing to read. Expected FILES, or the project of a server: "
            "--project ENTITY/PROJECT."
        )
    entity, slash, name = project.partition("/")
    if not entity or not slash or not name or "/" in name:
        raise InvalidInputError(
            f"--project {project}: expected ENTITY/PROJECT, as in the address of the "
            "project's page, to read from the server. Name FILES to read files."
        )
    return check_name("project", name)


def _known_heartbeats(lake: Lake, project: str) -> dict[str, str]:
    """When the server had last heard of each run, when that was read whole."""
    rows = lake.reader.scan("runs", project=project).select("run_id", "attributes").collect()
    said = {run_id: json.loads(text or "{}") for run_id, text in rows.iter_rows()}
    return {run_id: each[HEARTBEAT] for run_id, each in said.items() if HEARTBEAT in each}


def _is_whole(run: ServerRun, known: dict[str, str]) -> bool:
    return not _is_open(run) and known.get(run.run_id) == run.attributes.get(HEARTBEAT, "")


def _read(server: WandbServer, run: ServerRun, path: str, project: str, folder: Path) -> ReadSource:
    uri = f"{server.url}/{path}/runs/{run.run_id}"
    source = sources_of([Input(uri, is_local=False)], uuid.uuid4().hex)[0]
    place = folder / run.run_id
    exports = server.download(run, place)
    attributes = dict(run.attributes)
    notes = [f"the run has not ended: its state is {run.state}."] if _is_open(run) else []
    if exports is None:
        attributes.pop(HEARTBEAT, None)
        notes.append(
            "the server has not exported its whole history yet, so it went in without one. Run "
            "the same command again later."
        )
    history, kinds, rejects = read_exports(exports or [])
    _sum_up(source, exports or [])
    logged = LoggedRun(run.run_id, run.name, project, run.state, run.config, run.summary,
                       attributes, run.created_at, history)  # fmt: skip
    return ReadSource(source, project, FORMAT, LoggedFile([logged], kinds, rejects, notes))


def _is_open(run: ServerRun) -> bool:
    return run.state in OPEN_STATES


def _sum_up(source: Source, files: list[Path]) -> None:
    """Checksum and size of what was downloaded; the files go."""
    digest = hashlib.sha256()
    for file in files:
        data = file.read_bytes()
        digest.update(data)
        source.size += len(data)
        file.unlink()
    source.sha256 = digest.hexdigest()


def _commit(lake: Lake, batch: _Batch, path: str, strict: bool) -> RunsReport:
    for index, each in enumerate(batch.read):
        each.source.index = index
    landing = RunsLanding(
        lake,
        batch.read,
        operation=OPERATION,
        options=json.dumps({"project": path}),
        is_strict=strict,
        operation_id=uuid.uuid4().hex,
    )
    with landing:
        return landing.commit()
