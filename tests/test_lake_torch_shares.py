"""The torch dataset over ranks and workers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest
from lake_samples import append, structure
from s3_server import BUCKET, running_server
from training_samples import FRAMES, ids, lake_of_ten_row_groups

import lake
from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.training.epoch_order import shard_bounds

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

from lake.training.torch_dataset import LakeDataset  # noqa: E402


@pytest.fixture
def lk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    return lake_of_ten_row_groups(tmp_path, monkeypatch)


def first_id(item: dict[str, Any]) -> int:  # at module level, so that workers can unpickle it
    return int(item["structure_id"])


def test_ranks_have_disjoint_shares_that_make_up_everything(lk: Lake) -> None:
    ranks = [lk.torch_dataset(rank=r, world_size=3) for r in range(3)]
    found = [ids(dataset) for dataset in ranks]
    assert [len(f) for f in found] == [len(d) for d in ranks] == [66, 67, 67]
    assert sorted(chain.from_iterable(found)) == list(range(FRAMES))
    ranks[0].set_epoch(1)
    assert set(ids(ranks[0])) != set(found[0])


@pytest.mark.parametrize("n_workers", [1, 2, 3, 7])
def test_a_share_does_not_depend_on_its_workers(n_workers: int) -> None:
    bounds = [shard_bounds(100, 1, 3, worker, n_workers) for worker in range(n_workers)]
    assert bounds[0][0] == 33
    assert bounds[-1][1] == 66
    assert all(a[1] == b[0] for a, b in pairwise(bounds))


def test_more_shards_than_structures_leave_some_empty(lk: Lake) -> None:
    shares = [
        ids(lk.torch_dataset("structure_id < 2", rank=rank, world_size=5)) for rank in range(5)
    ]
    assert sorted(chain.from_iterable(shares)) == [0, 1]


@pytest.mark.parametrize("start_method", ["spawn", "forkserver"])
def test_workers_share_the_work_and_hear_of_new_epochs(lk: Lake, start_method: str) -> None:
    dataset = lk.torch_dataset("structure_id < 40", transform=first_id)
    loader = DataLoader(
        dataset,
        batch_size=None,
        num_workers=2,
        multiprocessing_context=start_method,
        persistent_workers=True,
    )
    first = list(loader)
    assert sorted(first) == list(range(40))
    dataset.set_epoch(1)
    second = list(loader)
    assert sorted(second) == list(range(40))
    assert second != first


def test_rank_comes_from_the_environment(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    dataset = lk.torch_dataset()
    assert (dataset.rank, dataset.world_size, len(dataset)) == (1, 4, 50)


@pytest.mark.parametrize("place", [(4, 4), (-1, 2), (0, None), (None, 2)])
def test_a_rank_outside_the_world_is_an_error(lk: Lake, place: tuple[Any, Any]) -> None:
    with pytest.raises(InvalidInputError, match="rank is"):
        LakeDataset(lk.storage.uri, rank=place[0], world_size=place[1])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_workers_read_a_local_lake(lk: Lake) -> None:
    dataset = lk.torch_dataset(transform=first_id)
    once = list(dataset)  # so that the parent has used whatever it uses
    loader = DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context="fork")
    found = list(loader)
    assert sorted(found) == sorted(once) == list(range(FRAMES))


@pytest.fixture(scope="module")
def remote() -> Iterator[Lake]:
    with running_server() as options:
        remote = lake.create(f"s3://{BUCKET}/lake", options)
        append(remote, structures=[structure(i) for i in range(9)])
        yield remote


@pytest.mark.s3
@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_workers_of_an_object_store_are_an_error_and_do_not_hang(remote: Lake) -> None:
    loader = DataLoader(
        remote.torch_dataset(), batch_size=None, num_workers=1, multiprocessing_context="fork"
    )
    with pytest.raises(InvalidInputError, match='multiprocessing_context="forkserver"'):
        list(loader)


@pytest.mark.s3
@pytest.mark.timeout(120)
@pytest.mark.parametrize("start_method", ["spawn", "forkserver"])
def test_workers_started_anew_read_an_object_store(remote: Lake, start_method: str) -> None:
    loader = DataLoader(
        remote.torch_dataset(transform=first_id),
        batch_size=None,
        num_workers=2,
        multiprocessing_context=start_method,
    )
    assert sorted(loader) == list(range(9))


@pytest.mark.parametrize("place", [("one", "4"), ("1", ""), ("1", None), (None, "4"), ("4", "4")])
def test_a_wrong_rank_in_the_environment_is_an_error(
    lk: Lake, monkeypatch: pytest.MonkeyPatch, place: tuple[str | None, str | None]
) -> None:
    for name, value in zip(("RANK", "WORLD_SIZE"), place, strict=True):
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInputError, match=r"(?i)rank is"):
        lk.torch_dataset()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Any]:
    """Makes this process rank 0 of 1 or, for a moment, what a test says."""
    yield lambda: torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1
    )
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def test_ranks_are_taken_when_an_iteration_starts(
    lk: Lake, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = lk.torch_dataset(transform=first_id)
    assert dataset.world_size == 1
    world()
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 4)
    assert (dataset.rank, dataset.world_size, len(dataset)) == (1, 4, 50)
    own = list(dataset)
    assert len(own) == 50
    loader = DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    assert sorted(loader) == sorted(own)  # workers know nothing of torch.distributed
    assert lk.torch_dataset(rank=0, world_size=2).world_size == 2


def test_uneven_ranks_can_be_made_even(lk: Lake) -> None:
    ranks = [lk.torch_dataset(rank=r, world_size=3, drop_uneven=True) for r in range(3)]
    left_out = set()
    for epoch in range(4):
        for dataset in ranks:
            dataset.set_epoch(epoch)
        found = [ids(dataset) for dataset in ranks]
        assert [len(f) for f in found] == [len(d) for d in ranks] == [66] * 3
        together = set(chain.from_iterable(found))
        assert len(together) == 198
        left_out |= set(range(FRAMES)) - together
    assert len(left_out) > 2
    with pytest.raises(InvalidInputError, match="leave drop_uneven out"):
        len(lk.torch_dataset("structure_id < 2", rank=0, world_size=3, drop_uneven=True))


@pytest.mark.filterwarnings("ignore:Length of IterableDataset:UserWarning")
def test_every_worker_makes_batches_of_its_own(lk: Lake) -> None:
    dataset = lk.torch_dataset("structure_id < 10", transform=first_id)
    for n_workers, sizes in ((0, [4, 4, 2]), (2, [4, 4, 1, 1])):
        loader = DataLoader(
            dataset,
            batch_size=4,
            num_workers=n_workers,
            multiprocessing_context="forkserver" if n_workers else None,
        )
        assert len(loader) == 3
        assert [len(batch) for batch in loader] == sizes
