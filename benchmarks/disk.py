"""Sizes of files and folders."""

from __future__ import annotations

import os
from pathlib import Path

MEGABYTE = 1e6
BLOCK_BYTES = 512  # the unit of st_blocks, whatever the file system's own is


def disk_megabytes(place: Path) -> float:
    """What a file or folder takes on disk; holes in sparse files count for nothing."""
    files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    os.sync()  # blocks are given out when data is written back
    return sum(path.stat().st_blocks for path in files) * BLOCK_BYTES / MEGABYTE


def file_megabytes(path: Path) -> float:
    """How long a file is."""
    return path.stat().st_size / MEGABYTE
