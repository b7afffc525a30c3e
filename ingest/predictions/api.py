"""Ingest of predictions made elsewhere: from files to one commit."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from ingest.labels.label_keys import LabelRules
from ingest.labels.seen_keys import check_mapped_keys
from ingest.labels.units import SourceUnits
from ingest.landing.report import left_alone
from ingest.predictions.extxyz_reader import ExtxyzReader
from ingest.predictions.json_reader import JsonReader
from ingest.predictions.landing import PredictionLanding
from ingest.predictions.matching import Matcher
from ingest.predictions.options import (
    PredictionOptions,
    find_datasets,
    find_format,
    find_model,
)
from ingest.predictions.prediction_keys import PredictionKeys, check_choices
from ingest.predictions.reader import PredictionReader
from ingest.predictions.reading import run_prediction_task
from ingest.predictions.report import PredictionReport
from ingest.predictions.unchanged import find_unchanged
from ingest.sources.inputs import find_inputs
from ingest.tasks.running import results_of
from ingest.tasks.tasks import Progress, no_progress, size_of, sources_of
from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.names import FileNames

THREADS_UP_TO_BYTES = 256 << 20
INLINE_UP_TO_BYTES = 32 << 20


def ingest_predictions(
    lake: Lake,
    files: FileNames,
    *,
    model: str,
    datasets: Sequence[str] = (),
    file_format: str | None = None,
    key_map: Mapping[str, str] | None = None,
    units: Sequence[str] = (),
    workers: int = 1,
    scheduler: str | None = None,
    strict: bool = False,
    storage_options: Mapping[str, str] | None = None,
    progress: Progress = no_progress,
) -> PredictionReport:
    """Read predictions of a registered model, match them to structures, and commit them.

    How frames are matched stands with `ingest.predictions.matching.Matcher`. Frames that fit no
    structure, or several, and those that stand against a prediction that is there, go to
    `rejects`. A prediction takes the place of one that had failed.

    Parameters
    ----------
    files
        Paths, patterns, URLs, or ``-`` for standard input.
    datasets
        Datasets to match with, all by default. Every one that holds a geometry gets a row.
    file_format
        ``extxyz`` or ``json``; by default what the files' names end in.
    key_map
        Key of the file for ``energy``, ``forces``, ``stress`` or ``virial``; an empty one says
        that the file predicts none. Not for JSON.
    units
        Units of the source where they are not eV and Å, e.g. ``["energy=kcal/mol"]``.
    workers
        Threads or processes that parse.
    scheduler
        Address of a Dask scheduler that does the parsing instead.
    strict
        Commit nothing if any frame is rejected.
    storage_options
        Options of the object store that files are read from.
    progress
        Called with the bytes read, and the bytes there are if that is known.

    Raises
    ------
    NotFoundError
        There is no such model, dataset or format.
    InvalidInputError
        An option is wrong, a name stands for nothing that can be read, or it is not clear which
        keys hold the predictions, or those taken hold the reference labels.
    ConflictError
        Structures were dropped meanwhile.
    """
    from_storage = storage_options or {}
    inputs = find_inputs(files, from_storage)
    options = PredictionOptions(
        model, find_format(inputs, file_format), tuple(datasets), key_map or {}, units
    )
    rules = _rules(options)
    reader = lake.reader
    find_model(reader, model)
    names = find_datasets(reader, datasets)
    unchanged = find_unchanged(lake, reader, inputs, options, names, from_storage)
    skipped = left_alone(unchanged)
    operation_id = uuid.uuid4().hex
    sources = sources_of([item for item in inputs if item.uri not in unchanged], operation_id)
    if not sources:
        return PredictionReport(model, skipped, [], None)
    matcher = Matcher(reader, names)
    landing = PredictionLanding(lake, matcher, options, sources, operation_id, is_strict=strict)
    prediction_reader = _reader(options, rules)
    size = size_of(sources)
    if size is not None and size < INLINE_UP_TO_BYTES and scheduler is None:
        workers = min(workers, 1)
    is_small = size is not None and size < THREADS_UP_TO_BYTES
    results = results_of(
        run_prediction_task,
        prediction_reader,
        prediction_reader,
        sources,
        workers=workers,
        scheduler=scheduler,
        use_threads=prediction_reader.parses_in_threads and is_small,
        storage_options=from_storage,
        progress=progress,
    )
    with landing, results as found:
        for result in found:
            landing.collector.add(result)
        if not unchanged:  # a file left alone may be the one that has a mapped key
            check_mapped_keys(rules, landing.collector.seen)
        keys = check_choices(landing.collector.choices)
        landing.check_references(keys)
        version = landing.commit()
    return landing.report(version, keys, skipped)


def _rules(options: PredictionOptions) -> LabelRules:
    if options.file_format == "json" and options.key_map:
        raise InvalidInputError(
            "--map is for extended XYZ: in a JSON cache the predictions stand under 'prediction'. "
            "Leave it out."
        )
    if "config_type" in options.key_map:
        raise InvalidInputError(
            "--map config_type: predictions have none. Expected energy, forces, stress or virial."
        )
    return LabelRules(options.key_map, SourceUnits.parse(options.units))


def _reader(options: PredictionOptions, rules: LabelRules) -> PredictionReader:
    if options.file_format == "json":
        return JsonReader(rules.units)
    return ExtxyzReader(PredictionKeys(options.model, options.key_map), rules)
