"""Jobs on a lake in an object store: the worker opens it too, and no key stands anywhere else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ase.io import write
from compute_samples import add_misbehaving, structures
from s3_server import BUCKET, CREDENTIALS, s3_server

import lake
from compute import Limits, Request, run
from ingest.api import ingest
from lake.lake import Lake

pytestmark = pytest.mark.s3
N = 12
SECRET = "secret-for-this-test"


@pytest.fixture
def lk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    monkeypatch.setenv("ATOMLAKE_ENVIRONMENTS", str(tmp_path / "environments.json"))
    file = tmp_path / "frames.xyz"
    write(file, structures(N), format="extxyz", write_results=False)
    with s3_server() as port:
        options = CREDENTIALS | {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }
        lk = lake.create(f"s3://{BUCKET}/computed", options)
        ingest(lk, "extxyz", [str(file)], dataset="metals")
        yield lk


def test_a_worker_computes_on_an_object_store_and_failures_are_tried_again(lk: Lake) -> None:
    add_misbehaving(lk, "touchy")
    limits = Limits(commit_every_s=0.2)
    report = run(lk, Request("predict", ["metals"], ["touchy"], limits=limits))
    assert (report.total("ok"), report.total("failed")) == (N - N // 4, N // 4)
    again = run(lk, Request("predict", ["metals"], ["touchy"], only_failed=True))
    assert again.total("failed") == N // 4
    assert len(lk.scan("predictions").collect()) == N
    assert lk.check() == []


def test_keys_stand_neither_in_the_lake_nor_among_the_processes(lk: Lake) -> None:
    add_misbehaving(lk, "slow", seconds=0.2)
    seen: set[str] = set()
    is_over = threading.Event()
    watch = threading.Thread(target=_watch, args=(seen, is_over))
    watch.start()
    try:
        run(lk, Request("predict", ["metals"], ["slow"]))
    finally:
        is_over.set()
        watch.join()
    assert any("compute.worker" in words for words in seen)
    assert not any(SECRET in words for words in seen)
    commits = lk.scan("commits").collect().to_dicts()
    assert SECRET not in json.dumps(commits, default=str)


def _watch(seen: set[str], is_over: threading.Event) -> None:
    """The words of every process there is, until it is over."""
    while not is_over.is_set():
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(file.read_text(errors="replace"))
            except (FileNotFoundError, ProcessLookupError):
                continue
        time.sleep(0.05)
