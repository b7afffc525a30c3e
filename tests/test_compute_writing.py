"""The thread that commits: what it leaves when it cannot."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from lake_samples import count
from landing_samples import copper_lake, evaluated, landing

from compute.worker.landing import Landing
from compute.worker.outcomes import Failure
from compute.worker.writing import OUTCOMES_AHEAD, Writer, writing
from lake.errors import StorageError
from lake.lake import Lake


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return copper_lake(tmp_path)


def test_a_store_that_cannot_be_finished_is_taken_away(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = type(lk.storage).put

    def full(self: Any, path: str, data: bytes) -> None:
        if path.endswith("manifest.json"):
            raise StorageError("No space left on device.")
        put(self, path, data)

    monkeypatch.setattr(type(lk.storage), "put", full)
    here = landing(lk, layers={1: "last"})
    with pytest.raises(StorageError, match="No space"), writing(here, lambda: None) as writer:
        writer.put(evaluated(1, 2))
    assert [path for path in Path(lk.storage.uri, "latents").rglob("*") if path.is_file()] == []
    assert count(lk, "predictions") == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_cannot_clean_up_keeps_nobody_waiting(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("gone")

    monkeypatch.setattr(Landing, "add", fail)
    monkeypatch.setattr(Landing, "abandon", fail)
    with writing(landing(lk), lambda: None) as writer:
        thread = threading.Thread(target=_put_all, args=(writer,), daemon=True)
        thread.start()
        thread.join(timeout=5)
        assert not thread.is_alive()
        writer.error = None  # it was seen


def _put_all(writer: Writer) -> None:
    for i in range(3 * OUTCOMES_AHEAD):
        writer._queue.put(Failure(i, 1, ""))  # its own `put` may see the error first


def write_and_fail(lk: Lake) -> None:
    with writing(landing(lk), lambda: None) as writer:
        writer.put(evaluated(1, 2))
        raise KeyError


def test_an_error_of_the_job_comes_before_one_of_the_writer(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("gone")

    monkeypatch.setattr(Landing, "commit", fail)
    with pytest.raises(KeyError):
        write_and_fail(lk)


def test_what_was_computed_before_an_error_is_committed(lk: Lake) -> None:
    with pytest.raises(KeyError):
        write_and_fail(lk)
    assert count(lk, "predictions") == 2
