"""Counting what a version of the lake holds, from scalar columns, file footers and the log."""

from __future__ import annotations

from collections import defaultdict
from importlib.resources import files
from typing import Any

from lake.latents.latent_reader import LATENTS
from lake.reader import Reader
from lake.summaries.info import DatasetInfo, Info, LabelCounts, ModelResults, SourceCounts
from schemas import TABLES

__all__ = ["Info", "summarize"]

Rows = list[tuple[Any, ...]]


def summarize(reader: Reader) -> Info:
    """What the lake holds at one version."""
    table_bytes = {name: sum(f.size for f in reader.files(name)) for name in TABLES}
    latents_bytes = sum(file.size for file in reader.storage.list_files(LATENTS))
    return Info(
        uri=reader.storage.uri,
        version=reader.state.version,
        last_commit=_last_commit(reader),
        datasets=_datasets(reader),
        models=dict(_rows(reader, "models")),
        runs=dict(_rows(reader, "runs")),
        table_bytes=table_bytes,
        latents_bytes=latents_bytes,
        newer=reader.state.newer,
    )


def _rows(reader: Reader, statement: str) -> Rows:
    query = files("lake").joinpath("summaries", f"{statement}.sql").read_text("utf-8")
    return reader.sql(query).fetchall()


def _last_commit(reader: Reader) -> dict[str, Any] | None:
    if not reader.state.version:
        return None
    newest = reader.scan("commits").filter(version=reader.state.version)
    names = ("version", "operation", "committed_at", "user", "host", "code_version")
    return newest.select(names).collect().row(0, named=True)


def _datasets(reader: Reader) -> dict[str, DatasetInfo]:
    elements: dict[str, list[str]] = defaultdict(list)
    for dataset, element in _rows(reader, "elements"):
        elements[dataset].append(element)
    config_types = _nested(_rows(reader, "config_types"))
    regions = _nested(_rows(reader, "regions"))
    labels = _label_counts(reader)
    models = _model_results(reader)
    structures = {dataset: (n, atoms) for dataset, n, atoms in _rows(reader, "structures")}
    sources = {dataset: SourceCounts(*counts) for dataset, *counts in _rows(reader, "sources")}
    return {
        name: DatasetInfo(
            structures=structures.get(name, (0, 0))[0],
            atoms=structures.get(name, (0, 0))[1],
            elements=elements[name],
            config_types=config_types.get(name, {}),
            label_sets=labels.get(name, {}),
            models=models.get(name, {}),
            regions=regions.get(name, {}),
            sources=sources.get(name, SourceCounts()),
        )
        for name in sorted({*structures, *sources, *labels, *models, *regions})
    }


def _nested(rows: Rows) -> dict[str, dict[str, int]]:
    """Counts by dataset and name."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for dataset, name, count in rows:
        found[dataset][name] = count
    return found


def _model_results(reader: Reader) -> dict[str, dict[str, ModelResults]]:
    latents: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for dataset, model, layer, n_features, dtype, count in _rows(reader, "embeddings"):
        latents[dataset, model][f"{layer} ({n_features} × {dtype})"] = count
    counts = {(dataset, model): n for dataset, model, *n in _rows(reader, "predictions")}
    found: dict[str, dict[str, ModelResults]] = defaultdict(dict)
    for dataset, model in sorted(counts.keys() | latents.keys()):
        ok, failed = counts.get((dataset, model), (0, 0))
        found[dataset][model] = ModelResults(ok, failed, latents[dataset, model])
    return found


def _label_counts(reader: Reader) -> dict[str, dict[str, LabelCounts]]:
    """Labels per dataset and set, from the files' footers: the forces themselves are not read."""
    query = (
        "SELECT file_name, path_in_schema, CAST(SUM(stats_null_count) AS BIGINT) "
        "FROM parquet_metadata($urls) "
        "WHERE path_in_schema IN ('energy', 'forces, x, list, element', 'stress, xx') "
        "GROUP BY file_name, path_in_schema ORDER BY file_name, path_in_schema"
    )
    labels = {reader.storage.url(f"labels/{file.path}"): file for file in reader.files("labels")}
    if not labels:
        return {}
    with reader.connect(()) as connection:
        rows = connection.execute(query, {"urls": list(labels)}).fetchall()
    totals: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    order = ("energy", "forces, x, list, element", "stress, xx")
    for url, path, n_null in rows:
        file = labels[url]
        count = totals[file.partition["dataset"]][file.partition["label_set"]]
        count[order.index(path)] += file.n_rows - n_null
    return {
        dataset: {name: LabelCounts(*n) for name, n in sorted(sets.items())}
        for dataset, sets in totals.items()
    }
