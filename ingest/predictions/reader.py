"""What every reader of predictions offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from ingest.frames.frames import Reject
from ingest.frames.importer import BlockCutter
from ingest.labels.seen_keys import SeenKeys
from ingest.predictions.predicted import Predicted
from ingest.predictions.prediction_keys import Choice


@dataclass
class Read:
    """What came of a block: predictions, frames refused, and the keys there were and chosen."""

    predicted: list[Predicted] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    choices: set[Choice] = field(default_factory=set)
    seen: SeenKeys = field(default_factory=SeenKeys)

    @property
    def n_frames(self) -> int:
        """Frames read, the rejected ones included."""
        return sum(map(len, self.predicted)) + len(self.rejects)


class PredictionReader(BlockCutter, Protocol):
    """Reads one format in two steps, as `ingest.frames.importer.Importer` does structures."""

    @property
    def format(self) -> str:
        """Name of the format."""
        ...

    @property
    def parses_in_threads(self) -> bool:
        """Whether threads help."""
        ...

    def read(self, block: Any, source: int, name: str) -> Read:
        """Read the predictions of a block of the source with this index and name.

        Raises
        ------
        InvalidInputError
            Which keys hold the predictions is not clear.
        """
        ...
