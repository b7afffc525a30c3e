"""A frame known to be bad, while its end is looked for, which may take several buffers."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.frames.frames import EXCERPT_LENGTH, Reject


@dataclass
class Junk:
    """Text that is no good frame.

    ``complaint`` is the reason, unless the frame states ``n_atoms`` and it is only their number
    that is wrong.
    """

    frame: int
    line: int
    n_atoms: int | None
    complaint: str
    excerpt: bytes = b""
    last_text_line: int = 0
    is_fresh: bool = True

    def extend(self, text: bytes, line: int) -> None:
        """Add `text`, which begins at `line`."""
        self.is_fresh = False
        missing = EXCERPT_LENGTH - len(self.excerpt)
        if missing > 0:
            self.excerpt += text[:missing]
        if stripped := text.rstrip():
            self.last_text_line = line + stripped.count(b"\n")

    def reject(self, next_line: int | None) -> Reject:
        """The reject, once it is known where the next frame begins (None: nowhere)."""
        reason = self.complaint
        if self.n_atoms is not None:
            found = max(0, self.last_text_line - self.line - 1)
            where = (
                f"the file ends after {found} atom lines"
                if next_line is None
                else f"the next frame begins after {found} atom lines (line {next_line})"
            )
            reason = f"says {self.n_atoms} atoms, but {where}"
        return Reject(self.frame, self.line, reason, self.excerpt.decode("utf-8", "replace"))
