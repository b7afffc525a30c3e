"""What a worker imports: real jobs where all else that atomlake depends on cannot be imported."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import worker_imports
from ase.io import write
from compute_samples import add_misbehaving, make_lake, request, rows, structures
from environment_samples import python_with
from s3_server import BUCKET, CREDENTIALS, s3_server

import lake
from compute import Limits, run
from compute.environments.checking import check_environment
from compute.environments.registry import add_environment
from compute.environments.worker_packages import WORKER, worker_requirements
from compute.jobs import checkpoints
from compute.models.changes import edit_model
from ingest.api import ingest
from lake.lake import Lake
from lake.latents.latent_reader import open_array
from lake.log.checkpoints import newest_checkpoint
from lake.log.transaction import CHECKPOINT_EVERY

pytestmark = pytest.mark.usefixtures("registry")
N = 12
OTHERS = ("deltalake", "duckdb", "extxyz", "gemmi", "polars", "pytz", "rich", "xlsxwriter")


@pytest.fixture
def environment(tmp_path: Path) -> str:
    """An interpreter that finds what a worker needs, and nothing else."""
    start = f"import sys; sys.path.append({str(Path(__file__).parent)!r})\n"
    start += f"import worker_imports; worker_imports.install(*{WORKER!r})\nsys.path.pop()\n"
    return add_environment("small", python_with(tmp_path, sitecustomize=start)).environment.name


@pytest.fixture
def store() -> Iterator[dict[str, str]]:
    """What opens an object store on loopback."""
    with s3_server() as port:
        yield CREDENTIALS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}


def compute(lk: Lake, environment: str) -> None:
    """Predictions with a condition, a failure that is tried again, and a commit each time."""
    add_misbehaving(lk, "touchy")
    edit_model(lk, "touchy", {"environment": environment})
    limits = Limits(commit_every_s=0.1)
    first = run(lk, request("touchy", where="n_atoms <= 3", limits=limits))
    assert (first.total("ok"), first.total("failed")) == (N // 4, N // 4)
    assert run(lk, request("touchy", limits=limits)).total("ok") == N // 2
    assert run(lk, request("touchy", only_failed=True)).total("failed") == N // 4
    assert len(rows(lk, "touchy")) == N
    assert lk.check() == []


def test_what_is_not_for_workers_cannot_be_imported(environment: str, tmp_path: Path) -> None:
    for name in OTHERS:
        done = subprocess.run(
            [str(tmp_path / "python"), "-c", f"import {name}"], capture_output=True, text=True
        )
        assert f"No module named '{name}'" in done.stderr


def test_a_job_with_a_long_log_needs_nothing_else(environment: str, tmp_path: Path) -> None:
    lk = make_lake(tmp_path, structures(N))
    for i in range(CHECKPOINT_EVERY - lk.version - 3):
        lk.tag(f"t{i}")
    assert newest_checkpoint(lk.storage, "commits", lk.version) == 0
    compute(lk, environment)
    assert lk.version > CHECKPOINT_EVERY
    newest = newest_checkpoint(lk.storage, "commits", lk.version)
    assert newest >= CHECKPOINT_EVERY, "written by whoever started the worker"


def test_a_long_job_need_not_end_for_a_checkpoint(
    environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "LOOK_EVERY_S", 0.0)
    lk = make_lake(tmp_path, structures(N))
    add_misbehaving(lk, "slow", seconds=0.3)
    edit_model(lk, "slow", {"environment": environment})
    for i in range(CHECKPOINT_EVERY - lk.version - 1):
        lk.tag(f"t{i}")
    newest: list[int] = []

    def look(*_: object) -> None:
        newest.append(newest_checkpoint(lk.storage, "commits", lk.version))

    run(lk, request("slow", limits=Limits(commit_every_s=0.1, batch=1)), look)
    assert newest[0] == 0
    assert newest[-1] >= CHECKPOINT_EVERY


@pytest.mark.s3
def test_a_job_on_an_object_store_needs_nothing_else(
    environment: str, tmp_path: Path, store: dict[str, str]
) -> None:
    file = tmp_path / "frames.xyz"
    write(file, structures(N), format="extxyz", write_results=False)
    lk = lake.create(f"s3://{BUCKET}/small", store)
    ingest(lk, "extxyz", [str(file)], dataset="metals")
    compute(lk, environment)


def test_latents_need_nothing_else(environment: str, tmp_path: Path) -> None:
    lk = lake.create(str(tmp_path / "lake"))
    code = (
        "import sys, numpy as np\n"
        "from lake.latents.latent_writer import LatentStoreWriter\n"
        "from lake.storage.storage import open_storage\n"
        "store = LatentStoreWriter(open_storage(sys.argv[1]), 'job')\n"
        "(pointer,) = store.extend([7], [3], np.arange(6.0).reshape(3, 2))\n"
        "store.close()\n"
        "print(pointer.store)\n"
    )
    command = [str(tmp_path / "python"), "-c", code, lk.storage.uri]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    array = open_array(lk.storage, done.stdout.strip())
    assert array[:3].tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]


@pytest.mark.slow
def test_the_check_finds_such_an_environment_well(environment: str, tmp_path: Path) -> None:
    python = str(tmp_path / "python")
    assert check_environment(add_environment("again", python).environment, "ase") == []


def test_the_command_line_says_what_it_lacks_there(environment: str, tmp_path: Path) -> None:
    lk = lake.create(str(tmp_path / "empty"))
    command = [str(tmp_path / "python"), "-m", "lake.cli", "--lake", lk.storage.uri]
    done = subprocess.run([*command, "info"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "Run atomlake from the environment it was installed into" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_list_is_a_part_of_what_atomlake_depends_on_and_leaves_the_large_out() -> None:
    assert {requirement.name for requirement in worker_requirements()} == set(WORKER)
    assert not worker_imports.closure(WORKER) & set(OTHERS)
    assert set(OTHERS) < worker_imports.closure(["atomlake"])
