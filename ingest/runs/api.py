"""Ingest of training runs: from logs to one commit."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.frames.frames import Reject
from ingest.landing.report import SourceReport
from ingest.runs.accounts import ReadSource
from ingest.runs.formats import LogKind, find_kind
from ingest.runs.landing import RunsLanding
from ingest.runs.log_files import find_log_files, read_bytes
from ingest.runs.logged_run import LogFile, LoggedFile
from ingest.runs.report import RunsReport
from ingest.runs.unchanged import find_unchanged
from ingest.tasks.tasks import Progress, Source, no_progress, sources_of
from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.names import FileNames, check_name


@dataclass(frozen=True)
class RunsOptions:
    """What decides what comes out of a file."""

    project: str | None = None
    name: str | None = None

    def as_json(self) -> str:
        """The options, as they are kept with every source."""
        return json.dumps({"project": self.project, "name": self.name}, sort_keys=True)


def ingest_runs(
    lake: Lake,
    kind: str,
    files: FileNames,
    *,
    project: str | None = None,
    name: str | None = None,
    strict: bool = False,
    storage_options: Mapping[str, str] | None = None,
    progress: Progress = no_progress,
) -> RunsReport:
    """Read training runs and everything they logged, and commit what is new.

    What was read before is a duplicate; another value where one stands is a reject. So a file that
    is still being written may be read again and again. All of one operation is held in memory.

    Parameters
    ----------
    kind
        ``wandb`` for `.wandb` files and CSV exports of wandb's pages, ``mace-log`` or
        ``lightning``.
    files
        Paths, patterns, URLs, folders, or ``-`` for standard input.
    project
        Project the runs go to; by default the one the file names.
    name
        Name of the run, where one file with one run is read.
    strict
        Commit nothing if anything is rejected.
    storage_options
        Options of the object store that files are read from.
    progress
        Called with the bytes read, and the bytes there are if that is known.

    Raises
    ------
    InvalidInputError
        An option is wrong, a name stands for nothing that can be read, or no file can be read as
        what it should be.
    NotFoundError
        There is no such kind.
    """
    how = find_kind(kind)
    options = RunsOptions(project if project is None else check_name("project", project), name)
    from_storage = storage_options or {}
    inputs = find_log_files(files, how, from_storage)
    if name is not None and len(inputs) != 1:
        raise InvalidInputError(
            f"--name {name} is for one run, and {len(inputs)} files are named. Name one file."
        )
    unchanged = find_unchanged(lake.reader, inputs, how.name, options.as_json(), from_storage)
    operation_id = uuid.uuid4().hex
    sources = sources_of([item for item in inputs if item.uri not in unchanged], operation_id)
    read = []
    for source, data in read_bytes(sources, from_storage, progress):
        read.append(_read(lake, how, options, source, data))
    skipped = [
        SourceReport(uri, 0, 0, 0, 0, is_unchanged=True, earlier_rejects=rejects)
        for uri, rejects in unchanged.items()
    ]
    if not read:
        return RunsReport(skipped)
    landing = RunsLanding(
        lake,
        _with_projects(read, options),
        operation=f"ingest {how.name}",
        options=options.as_json(),
        is_strict=strict,
        operation_id=operation_id,
    )
    with landing:
        report = landing.commit()
    return replace(report, sources=[*report.sources, *skipped])


@dataclass(frozen=True, eq=False)
class _Attempt:
    """A source that was read, or why it could not be."""

    source: Source
    file: LoggedFile
    file_format: str


def _read(lake: Lake, kind: LogKind, options: RunsOptions, source: Source, data: bytes) -> _Attempt:
    file = LogFile(source.item.uri, data, options.name, options.project, lake.reader)
    logged = LoggedFile([])
    if source.reject is None or data:  # a damaged file is read as far as it goes
        try:
            logged = kind.read(file)
        except InvalidInputError as error:
            if source.reject is None:
                source.reject = Reject(-1, 0, str(error))
    if options.name is not None and len(logged.runs) > 1:
        raise InvalidInputError(
            f"--name {options.name} is for one run, and {source.item.uri} holds "
            f"{len(logged.runs)}. Leave it out."
        )
    return _Attempt(source, logged, kind.name)


def _with_projects(read: Sequence[_Attempt], options: RunsOptions) -> list[ReadSource]:
    """The project of each source; what cannot be read goes where the others go.

    Raises
    ------
    InvalidInputError
        A file does not say its project, or none could be read.
    """
    if all(not attempt.file.runs for attempt in read):
        reasons = [
            f"{a.source.item.uri}: {a.source.reject.reason if a.source.reject else 'no runs'}"
            for a in read
        ]
        raise InvalidInputError("\n".join(reasons))
    if options.project is not None:
        return [ReadSource(a.source, options.project, a.file_format, a.file) for a in read]
    projects = {a.source.index: _project_of(a) for a in read if a.file.runs}
    first = next(iter(projects.values()))
    return [
        ReadSource(a.source, projects.get(a.source.index, first), a.file_format, a.file)
        for a in read
    ]


def _project_of(attempt: _Attempt) -> str:
    uri = attempt.source.item.uri
    named = attempt.file.runs[0].project
    if named is None:
        raise InvalidInputError(
            f"{uri} does not say which project its runs belong to. Expected one. Name it with "
            "--project."
        )
    try:
        return check_name("project", named)
    except InvalidInputError as error:
        raise InvalidInputError(f"{uri}: {error} Name one with --project.") from None
