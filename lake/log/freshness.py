"""Whether a version of the lake is still the newest, without listing or reading its log."""

from __future__ import annotations

import os

from lake.log.state import COMMITS
from lake.storage.storage import Storage


def is_newest(storage: Storage, version: int) -> bool:
    """Whether the lake has this version and no later one.

    Versions of the lake follow each other without a gap, and an entry never changes; so whether
    the next entry is there says it all.
    """
    folder, this, following = f"{COMMITS}/_delta_log", _entry(version), _entry(version + 1)
    if not storage.is_local:
        return storage.exists(f"{folder}/{this}") and not storage.exists(f"{folder}/{following}")
    try:
        # NFS remembers for a while that a name is not there, until its folder is opened again.
        descriptor = os.open(storage.url(folder), os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False  # whoever reads the log says what is wrong
    try:
        return _is_there(this, descriptor) and not _is_there(following, descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _entry(version: int) -> str:
    return f"{version:020}.json"


def _is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True
