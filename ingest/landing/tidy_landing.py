"""What all landings do at their end: files that no log has named are taken away."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

from lake.errors import StorageError
from lake.lake import Lake
from lake.log.data_files import DataFile


class TidyLanding(ABC):
    """As a context manager it takes away every file that no log has named."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._named: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        written = self._written_paths() if kind is None else self._paths_after_failure()
        for path in written - self._named:
            with suppress(StorageError):  # vacuum takes what cannot be taken now
                self.lake.storage.delete(path)

    @abstractmethod
    def _written_paths(self) -> set[str]:
        """Paths below the lake of the files that were written, named or not."""

    def _paths_after_failure(self) -> set[str]:
        """The same where an error ended it: files of tasks under way may be there too."""
        return self._written_paths()

    def _keep(self, files: Mapping[str, Iterable[DataFile]]) -> None:
        """Keep files of tables: from here on a log may name them, whatever the commit comes to."""
        self._named |= {f"{name}/{file.path}" for name, each in files.items() for file in each}
