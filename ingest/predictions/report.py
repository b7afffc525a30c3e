"""What an ingest of predictions did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.frames.frames import Reject
from ingest.landing.report import SHOWN_REJECTS, Report, SourceReport


@dataclass(frozen=True)
class PredictionReport(Report):
    """What an ingest of predictions did. ``version`` is None when nothing was committed.

    Attributes
    ----------
    keys
        The key each label was taken from, where files have keys.
    added
        Rows added per dataset; a frame adds one for every structure it fits.
    n_retried
        Of these, rows in the place of one that had failed.
    rejects_in
        Datasets under which the rejects stand.
    rejects
        Once each, also where a frame was refused in several datasets.
    """

    model: str
    sources: Sequence[SourceReport]
    rejects: Sequence[tuple[str, Reject]]
    version: int | None
    keys: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, int] = field(default_factory=dict)
    n_retried: int = 0
    rejects_in: Sequence[str] = ()
    is_refused: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "model": self.model,
            **self.counts(),
            "keys": dict(self.keys),
            "added": dict(self.added),
            "retried": self.n_retried,
            "rejects_in": list(self.rejects_in),
            **self.places(),
        }

    def text(self) -> str:
        """A summary for a person."""
        each = " and ".join(f"{n:,} in {dataset}" for dataset, n in self.added.items())
        added = f"Predictions of {self.model} added: {each or 'none'}."
        lines = [self.sentence(f"{added} Committed as version {self.version}.")]
        if self.keys:
            taken = ", ".join(f"{label} from {key}" for label, key in self.keys.items())
            lines.append(f"Taken: {taken}.")
        if self.n_retried:
            lines.append(f"{self.n_retried:,} took the place of predictions that had failed.")
        lines += [_left_alone(s) for s in self.sources if s.is_unchanged][:SHOWN_REJECTS]
        lines += self.reject_lines()
        if self.rejects and not self.is_refused:
            where = " and ".join(self.rejects_in)
            lines.append(f"Rejected frames stand in the table 'rejects', dataset {where}.")
        return "\n".join(lines)


def _left_alone(source: SourceReport) -> str:
    n = source.earlier_rejects
    rejected = f" Frames rejected then: {n:,}, see rejects." if n else ""
    return f"{source.uri} was read before: left alone.{rejected}"
