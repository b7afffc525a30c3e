"""A torch dataset over a lake: everything once, in an order that is random and repeatable."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lake_samples import append, label, structure
from s3_server import BUCKET, running_server

import lake
from lake.errors import InvalidInputError
from lake.lake import Lake
from lake.log import data_files
from lake.training.epoch_order import shard_bounds

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

from lake.training.torch_dataset import LakeDataset, collate  # noqa: E402

FRAMES = 200
STRESS = dict.fromkeys(("xx", "yy", "zz", "yz", "xz", "xy"), 0.25)


@pytest.fixture
def lk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Structures 0 to 199 in ten row groups of 50 atoms or so; every third has no forces."""
    monkeypatch.setattr(data_files, "ATOMS_PER_ROW_GROUP", 50)
    lk = lake.create(str(tmp_path / "lake"))
    structures = [structure(i, n_atoms=1 + i % 4) for i in range(FRAMES)]
    labels = [label(i, n_atoms=1 + i % 4, stress=STRESS) for i in range(FRAMES)]
    for row in labels[::3]:
        row["forces"] = row["stress"] = None
    append(lk, structures=structures, labels=labels)
    return lk


def ids(items: Any) -> list[int]:
    return [int(item["structure_id"]) for item in items]


def first_id(item: dict[str, Any]) -> int:  # at module level, so that workers can unpickle it
    return int(item["structure_id"])


def test_items_hold_what_was_stored(lk: Lake) -> None:
    item = next(i for i in lk.torch_dataset() if i["structure_id"] == 7)
    assert {name: (value.dtype, tuple(value.shape)) for name, value in item.items()} == {
        "structure_id": (torch.int64, ()),
        "numbers": (torch.int64, (4,)),
        "positions": (torch.float64, (4, 3)),
        "cell": (torch.float64, (3, 3)),
        "pbc": (torch.bool, (3,)),
        "energy": (torch.float64, ()),
        "forces": (torch.float64, (4, 3)),
        "stress": (torch.float64, (6,)),
    }
    assert item["positions"].eq(7.0).all()
    assert item["energy"] == 7.0
    assert item["forces"].eq(0.5).all()
    assert item["stress"].eq(0.25).all()


def test_a_label_that_is_not_known_is_nan(lk: Lake) -> None:
    item = next(i for i in lk.torch_dataset() if i["structure_id"] == 3)
    assert item["forces"].shape == (4, 3)
    assert item["forces"].isnan().all()
    assert item["stress"].isnan().all()
    assert item["energy"] == 3.0


def test_without_any_labels_there_are_no_label_keys(tmp_path: Path) -> None:
    lk = lake.create(str(tmp_path / "bare"))
    append(lk, structures=[structure(1)])
    (item,) = lk.torch_dataset()
    assert set(item) == {"structure_id", "numbers", "positions", "cell", "pbc"}


def test_an_epoch_has_everything_once(lk: Lake) -> None:
    dataset = lk.torch_dataset()
    found = ids(dataset)
    assert len(dataset) == FRAMES
    assert sorted(found) == list(range(FRAMES))
    assert found != sorted(found)


def test_the_order_depends_on_seed_and_epoch_alone(lk: Lake) -> None:
    dataset = lk.torch_dataset(seed=5)
    first = ids(dataset)
    assert ids(dataset) == first
    dataset.set_epoch(3)
    third = ids(dataset)
    assert third != first
    resumed = lk.torch_dataset(seed=5)
    resumed.set_epoch(3)
    assert ids(resumed) == third
    assert ids(lk.torch_dataset(seed=6)) != first


def test_without_shuffling_the_order_is_that_of_the_files(lk: Lake) -> None:
    assert ids(lk.torch_dataset(shuffle=False)) == list(range(FRAMES))


@pytest.mark.parametrize("buffer_bytes", [1, 2**20])
def test_the_order_is_well_mixed(lk: Lake, buffer_bytes: int) -> None:
    dataset = lk.torch_dataset(buffer_bytes=buffer_bytes)
    orders = []
    for epoch in range(20):
        dataset.set_epoch(epoch)
        orders.append(ids(dataset))
    ranks = np.argsort(np.array(orders), axis=1)  # of every structure, in every epoch
    # Every structure comes early in some epochs and late in others: a mean of 20 uniform ranks.
    assert np.abs(ranks.mean(axis=0) - (FRAMES - 1) / 2).max() < 4.5 * FRAMES / np.sqrt(12 * 20)
    steps = np.array([np.mean(np.diff(order) == 1) for order in orders])
    assert steps.mean() < (0.03 if buffer_bytes > 1 else 0.1)


def test_a_buffer_mixes_row_groups(lk: Lake) -> None:
    def spread(buffer_bytes: int) -> float:
        order = np.array(ids(lk.torch_dataset(buffer_bytes=buffer_bytes)))
        return float(np.mean([np.ptp(order[i : i + 10]) for i in range(0, FRAMES, 10)]))

    assert spread(2**20) > 0.7 * FRAMES
    assert spread(1) < 0.5 * FRAMES


def test_memory_is_bounded_by_the_buffer(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    from lake.training import row_buffer

    sizes: list[int] = []
    original = row_buffer.buffers

    def watched(*arguments: Any) -> Any:
        for structures, labels in original(*arguments):
            sizes.append(structures.nbytes + labels.nbytes)
            yield structures, labels

    monkeypatch.setattr("lake.training.torch_dataset.buffers", watched)
    dataset = lk.torch_dataset(buffer_bytes=2**30)
    ids(dataset)
    whole = sizes.pop()
    assert not sizes
    dataset = lk.torch_dataset(buffer_bytes=whole // 4)
    ids(dataset)
    assert max(sizes) < whole // 4 + 2 * whole // 10  # one row group fills it


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


def test_the_pickle_is_small_and_holds_no_rows(lk: Lake) -> None:
    dataset = lk.torch_dataset()
    before = len(pickle.dumps(dataset))
    expected = ids(dataset)
    assert len(pickle.dumps(dataset)) == before
    assert before < 20_000 + 64 * FRAMES
    assert ids(pickle.loads(pickle.dumps(dataset))) == expected


def test_batches_are_collated_over_atoms(lk: Lake) -> None:
    dataset = lk.torch_dataset("structure_id IN (1, 2)", shuffle=False, columns=["config_type"])
    (batch,) = DataLoader(dataset, batch_size=2, collate_fn=collate)
    assert batch["structure_id"].tolist() == [1, 2]
    assert batch["batch"].tolist() == [0, 0, 1, 1, 1]
    assert batch["ptr"].tolist() == [0, 2, 5]
    assert batch["positions"].shape == (5, 3)
    assert batch["cell"].shape == (2, 3, 3)
    assert batch["config_type"] == ["bulk", "bulk"]


def test_the_version_stays(lk: Lake) -> None:
    dataset = lk.torch_dataset()
    append(lk, structures=[structure(500)])
    assert 500 not in ids(dataset)
    assert 500 in ids(lk.torch_dataset())


def test_an_empty_selection_is_an_error(lk: Lake) -> None:
    with pytest.raises(InvalidInputError, match="No structure of"):
        lk.torch_dataset("n_atoms > 1000")


def test_several_label_sets_must_be_chosen_from(lk: Lake) -> None:
    append(lk, labels=[label(1, label_set="emt", energy=9.0)])
    with pytest.raises(InvalidInputError, match="dft, emt"):
        lk.torch_dataset()
    item = next(iter(lk.torch_dataset("label_set = 'emt'", label_set="emt")))
    assert item["energy"] == 9.0


def test_rank_comes_from_the_environment(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    dataset = lk.torch_dataset()
    assert (dataset.rank, dataset.world_size, len(dataset)) == (1, 4, 50)


@pytest.mark.parametrize("place", [(4, 4), (-1, 2), (0, None), (None, 2)])
def test_a_rank_outside_the_world_is_an_error(lk: Lake, place: tuple[Any, Any]) -> None:
    with pytest.raises(InvalidInputError, match="rank is"):
        LakeDataset(lk.storage.uri, rank=place[0], world_size=place[1])


def test_structures_larger_than_a_row_group_pass(tmp_path: Path) -> None:
    lk = lake.create(str(tmp_path / "large"))
    append(lk, structures=[structure(1, n_atoms=5000), structure(2, n_atoms=1)])
    dataset: LakeDataset = lk.torch_dataset(buffer_bytes=1)
    assert sorted(len(item["numbers"]) for item in dataset) == [1, 5000]


def test_the_lake_itself_does_not_load_torch() -> None:
    code = "import sys, lake.structures.atoms; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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


@pytest.mark.parametrize("option", [{"seed": -1}, {"seed": 0.5}, {"buffer_bytes": 0}])
def test_a_number_out_of_range_is_an_error(lk: Lake, option: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=f"{next(iter(option))} is .* or more"):
        lk.torch_dataset(**option)
    with pytest.raises(InvalidInputError, match="epoch is -1"):
        lk.torch_dataset().set_epoch(-1)


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
