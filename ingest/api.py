"""Ingest: from files to one commit."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest.frames.importer import Importer
from ingest.labels.labels import LabelRules
from ingest.labels.units import SourceUnits
from ingest.landing.landing import Landing
from ingest.landing.report import IngestReport, left_alone
from ingest.sources.inputs import find_inputs
from ingest.sources.unchanged import find_unchanged
from ingest.tables.names import NamePattern
from ingest.tasks.reading import Target, run_task
from ingest.tasks.running import results_of
from ingest.tasks.tasks import Progress, Source, no_progress, size_of, sources_of
from lake.lake import Lake
from lake.names import FileNames, check_name

PROCESSES_FROM_BYTES = 256 << 20


@dataclass(frozen=True)
class Options:
    """How files are read; what stands here and the importer decide what comes out of a file."""

    dataset: str
    label_set: str = "dft"
    key_map: Mapping[str, str] = field(default_factory=dict)
    units: Sequence[str] = ()
    name_pattern: str | None = None

    def as_dict(self) -> dict[str, object]:
        """The options that decide what comes out of a file."""
        return {
            "map": dict(self.key_map),
            "units": sorted(self.units),
            "name_pattern": self.name_pattern,
        }

    def as_json(self) -> str:
        """The options, as they are kept with every source."""
        return json.dumps(self.as_dict(), sort_keys=True)


def ingest(
    lake: Lake,
    importer: str | Importer,
    files: FileNames,
    *,
    dataset: str,
    label_set: str = "dft",
    key_map: Mapping[str, str] | None = None,
    units: Sequence[str] = (),
    name_pattern: str | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    strict: bool = False,
    storage_options: Mapping[str, str] | None = None,
    progress: Progress = no_progress,
) -> IngestReport:
    """Read files into a dataset, as one commit.

    Frames that cannot be taken stand in `rejects` with place and reason, and the others go in. A
    file that was read before with the same options is left alone.

    Parameters
    ----------
    importer
        ``"extxyz"``, ``"cif"``, or any format name ASE reads.
    files
        Paths, patterns, URLs, or ``-`` for standard input.
    label_set
        Level of theory or source of the labels.
    key_map
        Key of the file for ``energy``, ``forces``, ``stress``, ``virial`` or ``config_type``; an
        empty one says that the file has none.
    units
        Units of the source where they are not eV and Å, e.g. ``["energy=Hartree"]``.
    name_pattern
        Regular expression whose named groups become info keys; ``KEY~REGEX`` for an info key.
    workers
        Threads, or processes where there is much to read, that parse. With more than one, a script
        needs the usual ``if __name__ == "__main__":``.
    scheduler
        Address of a Dask scheduler that does the parsing instead.
    strict
        Commit nothing if any frame is rejected.
    storage_options
        Options of the object store that files are read from.
    progress
        Called with the bytes read, and the bytes there are if that is known.

    Returns
    -------
    IngestReport
        The accounting of every source, the rejects, and the version.

    Raises
    ------
    InvalidInputError
        An option is wrong, a name stands for nothing that can be read, or no frame has a key that
        `key_map` names.
    JobFailedError
        A worker died.
    """
    options = Options(
        check_name("dataset", dataset),
        check_name("label_set", label_set),
        key_map or {},
        units,
        name_pattern,
    )
    target = _target(lake, importer, options)
    reader = target.importer
    from_storage = storage_options or {}
    inputs = find_inputs(files, from_storage)
    unchanged = find_unchanged(
        lake.reader, inputs, options, file_format=reader.format, storage_options=from_storage
    )
    read_now = [item for item in inputs if item.uri not in unchanged]
    sources = sources_of(read_now, target.operation_id)
    landing = Landing(lake, target, options, sources, is_strict=strict)
    skipped = left_alone(unchanged)
    if not sources:
        return landing.report(None, skipped)
    results = results_of(
        run_task,
        target,
        reader,
        sources,
        workers=workers,
        scheduler=scheduler,
        use_threads=reader.parses_in_threads and _is_small(sources),
        storage_options=from_storage,
        progress=progress,
    )
    with landing, results as found:
        for result in found:
            landing.add(result)
        if not unchanged:  # a file left alone may be the one that has a mapped key
            landing.check_mapped_keys()
        version = landing.commit()
    return landing.report(version, skipped)


def _target(lake: Lake, importer: str | Importer, options: Options) -> Target:
    """What every task needs to know."""
    from ingest.importers import find_importer

    return Target(
        lake.storage.uri,
        lake.storage.options,
        uuid.uuid4().hex,
        options.dataset,
        options.label_set,
        find_importer(importer) if isinstance(importer, str) else importer,
        LabelRules(options.key_map, SourceUnits.parse(options.units)),
        None if options.name_pattern is None else NamePattern(options.name_pattern),
    )


def _is_small(sources: Sequence[Source]) -> bool:
    """Whether the sources are read before a pool of processes would have paid for its start."""
    size = size_of(sources)
    return size is not None and size < PROCESSES_FROM_BYTES
