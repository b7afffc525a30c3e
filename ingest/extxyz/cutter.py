"""Cutting a buffer of extended XYZ into frames, and telling apart the ones with a wrong count."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np

from ingest.extxyz.heads import atom_count, find_head, is_atom_line, is_head, skip_blank
from ingest.extxyz.junk import Junk
from ingest.frames.frames import Reject

# The lake counts the atoms of a structure in 32 bits.
MAX_ATOMS = 2**31 - 1
# No atom line is shorter: an element, three coordinates, the spaces between and the line end.
_SHORTEST_ATOM_LINE = 8
_LONGEST_COUNT_LINE = 1 << 16
_LFS_POINTER = b"version https://git-lfs"


@dataclass
class Cut:
    """What one buffer came to.

    ``frames`` holds (start, comment, body, end, n_atoms, frame, line) of every good frame, and
    ``consumed`` how many bytes are done with.
    """

    frames: list[tuple[int, ...]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    consumed: int = 0


class Cutter:
    """Cuts one buffer after the other; ``frame`` and ``line`` say where the next begins."""

    def __init__(self) -> None:
        self.frame = 0
        self.line = 1
        self._junk: Junk | None = None
        self._begin(b"", is_last=False)

    def _begin(self, data: bytes, is_last: bool) -> None:
        self._data = data
        self._is_last = is_last
        self._position = 0
        self._cut = Cut()
        self._line_ends: list[int] | None = None
        self._n_short: list[int] = []

    def cut(self, data: bytes, is_last: bool) -> Cut:
        """Cut `data`, which begins where the last call left off and is the last when it says so."""
        self._begin(data, is_last)
        while self._leave_junk() and self._take_frames():
            pass
        self._cut.consumed = self._position
        return self._cut

    def _take_frames(self) -> bool:
        """Take frames until a bad one; False when the buffer is used up, or more is needed."""
        while True:
            self._take_uniform_frames()
            self._take_frames_by_lines()
            start = skip_blank(self._data, self._position)
            self.line += self._data.count(b"\n", self._position, start)
            self._position = start
            if start == len(self._data):
                return False
            verdict = self._take_one_frame()
            if verdict is None:
                return False
            if not verdict:
                return True

    def _take_uniform_frames(self) -> None:
        """Take frames of plain look whose atom lines all are as long as the first.

        This is what most programs write, and it takes no look at the single lines.
        """
        data, size, position = self._data, len(self._data), self._position
        frame, line, append = self.frame, self.line, self._cut.frames.append
        head_end = data.find(b"\n", position)
        while head_end >= 0 and data[position:head_end].isdigit() and head_end - position < 10:
            n_atoms = int(data[position:head_end])
            body = data.find(b"\n", head_end + 1) + 1
            line_length = data.find(b"\n", body) + 1 - body if body else 0
            end = body + n_atoms * line_length
            if (
                line_length < _SHORTEST_ATOM_LINE
                or not body < end < size
                or data[end - 1] != 10
                or data.count(b"\n", body, end) != n_atoms
            ):
                break
            next_head_end = data.find(b"\n", end)
            if not data[end:next_head_end].isdigit():
                break
            append((position, head_end + 1, body, end, n_atoms, frame, line))
            position, head_end = end, next_head_end
            frame += 1
            line += n_atoms + 2
        self._position, self.frame, self.line = position, frame, line

    def _take_frames_by_lines(self) -> None:
        """Take frames of plain look whose atom lines differ in length."""
        data, position = self._data, self._position
        if self._lines_missing(position):
            return
        ends, n_short = self._index_lines()
        frame, line = self.frame, self.line
        i = bisect_left(ends, position)
        while i < len(ends) and data[position : ends[i]].isdigit() and ends[i] - position < 10:
            n_atoms = int(data[position : ends[i]])
            last = i + 1 + n_atoms
            if n_atoms < 1 or last + 1 >= len(ends) or n_short[last] != n_short[i + 1]:
                break
            end = ends[last] + 1
            if not data[end : ends[last + 1]].isdigit():
                break
            self._cut.frames.append(
                (position, ends[i] + 1, ends[i + 1] + 1, end, n_atoms, frame, line)
            )
            position, i = end, last + 1
            frame += 1
            line += n_atoms + 2
        self._position, self.frame, self.line = position, frame, line

    def _lines_missing(self, position: int) -> bool:
        """Whether the frame at `position` plainly runs on past the buffer.

        The last frame of a buffer mostly does, and is no reason to index all lines.
        """
        head_end = self._data.find(b"\n", position, position + 32)
        count = atom_count(self._data[position:head_end]) if head_end >= 0 else None
        return count is None or (
            self._line_ends is None and self._data.count(b"\n", head_end + 1) < count + 1
        )

    def _index_lines(self) -> tuple[list[int], list[int]]:
        """Where lines end, and how many lines up to each are too short for an atom."""
        if self._line_ends is None:
            ends = np.flatnonzero(np.frombuffer(self._data, np.uint8) == 10)
            self._line_ends = ends.tolist()
            lengths = np.diff(ends, prepend=-1)
            self._n_short = np.cumsum(lengths < _SHORTEST_ATOM_LINE).tolist()
        return self._line_ends, self._n_short

    def _take_one_frame(self) -> bool | None:
        """Take the frame here with every check.

        False when it is bad, and known as junk from now on; None when it takes more of the stream
        to tell.
        """
        data, position = self._data, self._position
        head_end = data.find(b"\n", position)
        if head_end < 0:
            if not self._is_last and len(data) - position < _LONGEST_COUNT_LINE:
                return None
            head_end = len(data)
        count = atom_count(data[position:head_end])
        if count is None or not 1 <= count <= MAX_ATOMS:
            return self._begin_junk(None, self._complaint(head_end))
        comment = head_end + 1
        body = data.find(b"\n", comment) + 1
        end = self._end(head_end, count) if body else -1
        if end < 0:
            has_head = body > 0 and find_head(data, comment, self._is_last)[0] >= 0
            return self._begin_junk(count, "") if has_head or self._is_last else None
        is_good = self._ends_well(body, end)
        if is_good is None:
            return None
        if not is_good:
            return self._begin_junk(count, "")
        self._cut.frames.append((position, comment, body, end, count, self.frame, self.line))
        self.frame += 1
        self.line += count + 2
        self._position = end
        return True

    def _end(self, head_end: int, n_atoms: int) -> int:
        """Where the line after the last atom begins, or -1 when there are fewer lines."""
        if self._line_ends is None and self._data.count(b"\n", head_end + 1) < n_atoms:
            return -1
        ends, _ = self._index_lines()
        last = bisect_left(ends, head_end) + 1 + n_atoms
        if last < len(ends):
            return ends[last] + 1
        is_unended = last == len(ends) and not self._data.endswith(b"\n")
        return len(self._data) if is_unended and self._is_last else -1

    def _ends_well(self, body: int, end: int) -> bool | None:
        """Whether a frame holds no other, and a new one or nothing follows; None: cannot tell."""
        data = self._data
        ends, n_short = self._index_lines()
        first, last = bisect_left(ends, body), bisect_left(ends, end - 1)
        if n_short[min(last, len(ends) - 1)] != n_short[first - 1]:
            head = find_head(data, body, self._is_last)[0]
            if 0 <= head < end:
                return False
        follows = skip_blank(data, end)
        if follows == len(data):
            return True if self._is_last else None
        line_end = data.find(b"\n", follows)
        if line_end < 0:
            if not self._is_last and len(data) - follows < _LONGEST_COUNT_LINE:
                return None
            line_end = len(data)
        if atom_count(data[follows:line_end]) is not None:
            return True
        swallowed_a_count = atom_count(data[ends[last - 1] + 1 : end].strip()) is not None
        if swallowed_a_count or is_atom_line(data[follows:line_end]):
            return False
        return is_head(data, follows, self._is_last)

    def _complaint(self, head_end: int) -> str:
        if self._data.startswith(_LFS_POINTER, self._position):
            return "is a Git-LFS pointer, not the data it stands for; run git lfs pull"
        text = self._data[self._position : min(head_end, self._position + 60)]
        if atom_count(text) == 0:
            return "says 0 atoms, where 1 or more were expected"
        return (
            f"begins with {text.decode('utf-8', 'replace').strip()!r}, where the number of atoms "
            "(1 or more) was expected"
        )

    def _begin_junk(self, n_atoms: int | None, complaint: str) -> bool:
        self._junk = Junk(self.frame, self.line, n_atoms, complaint)
        return False

    def _leave_junk(self) -> bool:
        """Skip to the next frame; False when the buffer is used up first."""
        junk, data, position = self._junk, self._data, self._position
        if junk is None:
            return True
        search_from = position
        if junk.is_fresh:
            search_from = (data.find(b"\n", position) + 1) or len(data)
        head, keep = find_head(data, search_from, self._is_last)
        stop = head if head >= 0 else len(data) if self._is_last else keep
        junk.extend(data[position:stop], self.line)
        self.line += data.count(b"\n", position, stop)
        self._position = stop
        if head < 0 and not self._is_last:
            return False
        self._cut.rejects.append(junk.reject(self.line if head >= 0 else None))
        self._junk = None
        self.frame += 1
        return head >= 0
