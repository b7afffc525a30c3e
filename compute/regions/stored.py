"""Which regions a lake holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from compute.regions.rows import schemes_of
from compute.regions.scheme import Scheme
from lake.log.data_files import DataFile
from lake.reader import Reader

Ids = NDArray[np.int64]
_ORIGIN = ("parameters", "scheme_version")


@dataclass
class StoredRegions:
    """Reads what is stored of a scheme in a dataset, each data file once: they never change.

    ``files`` maps the path of a file to the ids in it, and the parameters and versions they were
    made with.
    """

    dataset: str
    scheme: Scheme
    files: dict[str, tuple[Ids, set[tuple[str, str]]]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, str]:
        """Names of the schemes in the table."""
        return schemes_of(self.scheme.family)

    def read(self, reader: Reader) -> dict[str, Ids]:
        """The structures that have regions in a version of the lake, by scheme."""
        return {
            name: _joined([self._file(reader, f)[0] for f in self._there(reader, name)])
            for name in self.names
        }

    def paths(self, reader: Reader) -> set[str]:
        """The data files."""
        return {file.path for name in self.names for file in self._there(reader, name)}

    def difference(self, reader: Reader) -> str | None:
        """How something stored was made with other parameters or another version; None if not."""
        wanted = dict(self.scheme.parameters)
        for name in self.names:
            for file in self._there(reader, name):
                for parameters, version in sorted(self._file(reader, file)[1]):
                    said = _differences(json.loads(parameters), wanted)
                    if version != self.scheme.version:
                        said.append(f"version {version}, now {self.scheme.version}")
                    if said:
                        return "; ".join(said)
        return None

    def _there(self, reader: Reader, name: str) -> list[DataFile]:
        return reader.files("regions", dataset=self.dataset, scheme=name)

    def _file(self, reader: Reader, file: DataFile) -> tuple[Ids, set[tuple[str, str]]]:
        if file.path not in self.files:
            rows = reader.columns("regions", [file], ("structure_id", *_ORIGIN))
            origins = rows.group_by(list(_ORIGIN)).aggregate([]).to_pylist()
            self.files[file.path] = (
                rows["structure_id"].to_numpy(),
                {(each["parameters"] or "{}", each["scheme_version"]) for each in origins},
            )
        return self.files[file.path]


def _differences(stored: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    return [
        f"{name} {stored.get(name, 'not given')}, now {wanted.get(name, 'not given')}"
        for name in sorted({*stored, *wanted})
        if stored.get(name) != wanted.get(name)
    ]


def _joined(parts: list[Ids]) -> Ids:
    return np.concatenate([np.empty(0, np.int64), *parts])
