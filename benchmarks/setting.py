"""How large the benchmarks are and where their files lie."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """Where files go, how often each figure is taken, and whether sizes are tiny."""

    folder: Path = Path("build/bench")
    is_quick: bool = False
    repeats: int = 3

    def size(self, full: int, quick: int) -> int:
        """One of two sizes."""
        return quick if self.is_quick else full

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder that is gone afterwards.

        What others wrote is on disk before the block begins, so nobody pays for another's writes.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=self.folder))
        os.sync()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
