"""A torch dataset over a lake: everything once, in an order that is random and repeatable."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lake_samples import append, label, structure
from training_samples import FRAMES, ids, lake_of_ten_row_groups

import lake
from lake.errors import InvalidInputError
from lake.lake import Lake

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

from lake.training.torch_dataset import LakeDataset, collate  # noqa: E402


@pytest.fixture
def lk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    return lake_of_ten_row_groups(tmp_path, monkeypatch)


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


def test_structures_larger_than_a_row_group_pass(tmp_path: Path) -> None:
    lk = lake.create(str(tmp_path / "large"))
    append(lk, structures=[structure(1, n_atoms=5000), structure(2, n_atoms=1)])
    dataset: LakeDataset = lk.torch_dataset(buffer_bytes=1)
    assert sorted(len(item["numbers"]) for item in dataset) == [1, 5000]


def test_the_lake_itself_does_not_load_torch() -> None:
    code = "import sys, lake.structures.atoms; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("option", [{"seed": -1}, {"seed": 0.5}, {"buffer_bytes": 0}])
def test_a_number_out_of_range_is_an_error(lk: Lake, option: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=f"{next(iter(option))} is .* or more"):
        lk.torch_dataset(**option)
    with pytest.raises(InvalidInputError, match="epoch is -1"):
        lk.torch_dataset().set_epoch(-1)
