"""What a lake holds, as values and as a text a person reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lake.counted import counted

SHOWN_CONFIG_TYPES = 5


@dataclass(frozen=True)
class LabelCounts:
    """How many structures of a label set have each label."""

    energies: int
    forces: int
    stresses: int


@dataclass(frozen=True)
class ModelResults:
    """What one model was asked about a dataset; ``latents`` counts structures per layer."""

    ok: int = 0
    failed: int = 0
    latents: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceCounts:
    """The accounting of what was read into a dataset."""

    files: int = 0
    frames: int = 0
    duplicates: int = 0
    rejects: int = 0


@dataclass(frozen=True)
class DatasetInfo:
    """One dataset. ``config_types`` is most frequent first; the rest counts structures by name."""

    structures: int
    atoms: int
    elements: Sequence[str]
    config_types: Mapping[str, int]
    label_sets: Mapping[str, LabelCounts]
    models: Mapping[str, ModelResults]
    regions: Mapping[str, int]
    sources: SourceCounts


@dataclass(frozen=True)
class Info:
    """A version of a lake; sizes are in bytes, and those of latents are of all versions.

    ``newer`` names tables that a newer atomlake made or gave more columns, which are not shown.
    """

    uri: str
    version: int
    last_commit: Mapping[str, Any] | None
    datasets: Mapping[str, DatasetInfo]
    models: Mapping[str, str]
    runs: Mapping[str, int]
    table_bytes: Mapping[str, int]
    latents_bytes: int
    newer: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same as plain dicts, lists and numbers."""
        return asdict(self)

    def text(self) -> str:
        """The same on a screen."""
        return "\n".join(self._lines())

    def __str__(self) -> str:
        return self.text()

    def _lines(self) -> Iterator[str]:
        yield f"{self.uri}, version {self.version}"
        if self.last_commit is not None:
            when = self.last_commit["committed_at"].strftime("%Y-%m-%d %H:%M UTC")
            by = f" by {self.last_commit['user']}" if self.last_commit["user"] else ""
            yield f"last commit: {self.last_commit['operation']}, {when}{by}"
        if not self.datasets:
            yield "no datasets yet; 'atomlake ingest' reads files into one"
        for name, dataset in self.datasets.items():
            yield ""
            yield from _dataset_lines(name, dataset)
        yield ""
        if self.models:
            yield "models   " + ", ".join(f"{name} ({kind})" for name, kind in self.models.items())
        if self.runs:
            yield "runs     " + ", ".join(f"{n:,} in {name}" for name, n in self.runs.items())
        yield "on disk  " + _sizes({**self.table_bytes, "latents": self.latents_bytes})
        if self.newer:
            yield f"newer    {', '.join(self.newer)}: of a newer atomlake, and not shown in full"


def _dataset_lines(name: str, dataset: DatasetInfo) -> Iterator[str]:
    elements = f" of {' '.join(dataset.elements)}" if dataset.elements else ""
    yield (
        f"{name}: {counted(dataset.structures, 'structure')}, {counted(dataset.atoms, 'atom')}"
        f"{elements}"
    )
    if dataset.config_types:
        shown = list(dataset.config_types.items())
        kinds = [f"{kind} {n:,}" for kind, n in shown[:SHOWN_CONFIG_TYPES]]
        if len(shown) > SHOWN_CONFIG_TYPES:
            kinds.append(f"and {len(shown) - SHOWN_CONFIG_TYPES:,} kinds more")
        yield f"  config types: {', '.join(kinds)}"
    for label_set, n in dataset.label_sets.items():
        yield (
            f"  labels {label_set}: {n.energies:,} with energy, {n.forces:,} with forces, "
            f"{n.stresses:,} with stress"
        )
    for model, results in dataset.models.items():
        yield f"  model {model}: {', '.join(_results(results))}"
    for scheme, count in dataset.regions.items():
        yield f"  regions {scheme}: {counted(count, 'structure')}"
    sources = dataset.sources
    if sources.files:
        yield (
            f"  read from {counted(sources.files, 'file')}: {counted(sources.frames, 'frame')}, "
            f"{counted(sources.duplicates, 'duplicate')}, {counted(sources.rejects, 'reject')}"
        )


def _results(results: ModelResults) -> Iterator[str]:
    yield counted(results.ok, "prediction")
    if results.failed:
        yield f"{results.failed:,} failed"
    for layer, n in results.latents.items():
        yield f"latents {layer} of {counted(n, 'structure')}"


def _sizes(sizes: Mapping[str, int]) -> str:
    largest_first = sorted(sizes.items(), key=lambda item: -item[1])
    parts = ", ".join(f"{name} {_size(size)}" for name, size in largest_first if size)
    return f"{_size(sum(sizes.values()))}" + (f": {parts}" if parts else "")


def _size(n_bytes: int) -> str:
    size, unit = float(n_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
