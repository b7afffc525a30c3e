"""Batches that do not fit or do not work: halved until what is wrong stands alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_compute_batches import member

from compute.engines.engine import (
    EvaluationError,
    Graph,
    ModelFacts,
    OutOfMemoryError,
    Results,
    Wanted,
)
from compute.engines.torch_device import TorchDevice
from compute.worker.batches import Member
from compute.worker.budget import FIRST_GPU_LOAD, AdaptiveBudget
from compute.worker.outcomes import Evaluated, Failure, evaluate
from lake.errors import JobFailedError


class SmallDevice:
    """An engine with room for so many edges, that fails on structures of 13 atoms."""

    facts = ModelFacts()
    device_name = "small"

    def __init__(
        self, room: int, memory: tuple[int, int] | None = None, host_room: float = np.inf
    ) -> None:
        self.room = room
        self.host_room = host_room
        self.memory = memory
        self.loads: list[int] = []

    def latent_definition(self, layer: int) -> Mapping[str, Any]:
        return {}

    def collate(self, graphs: Sequence[Graph]) -> Sequence[Graph]:
        if sum(graph.n_edges for graph in graphs) > self.host_room:
            raise MemoryError
        return graphs

    def evaluate(self, batch: Sequence[Graph], wanted: Wanted) -> Results:
        n_atoms = sum(graph.n_atoms for graph in batch)
        load = sum(Member(0, graph).load for graph in batch)
        self.loads.append(load)
        if load > self.room:
            raise OutOfMemoryError
        if any(graph.n_atoms == 13 for graph in batch):
            raise EvaluationError("thirteen atoms")
        energy = np.array([np.nan if g.n_atoms == 7 else g.n_atoms for g in batch], float)
        forces = np.zeros((n_atoms, 3))
        return Results(energy, forces, None, {0: np.full((n_atoms, 2), 1e5)})

    def memory_bytes(self) -> tuple[int, int] | None:
        return self.memory


@pytest.fixture(autouse=True)
def cache(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def run(
    engine: SmallDevice, batch: list[Member], load: int | None = 10**6, **more: Any
) -> tuple[dict[int, float], dict[int, str], AdaptiveBudget]:
    budget = AdaptiveBudget(engine, "mace", "key", load, None)
    numbers: dict[int, float] = {}
    reasons: dict[int, str] = {}
    for outcome in evaluate(engine, batch, None, Wanted(), budget, **more):
        if isinstance(outcome, Failure):
            reasons[outcome.structure_id] = outcome.reason
            continue
        assert isinstance(outcome, Evaluated)
        for i, each in enumerate(outcome.batch):
            if i in outcome.reasons:
                reasons[each.structure_id] = outcome.reasons[i]
            else:
                numbers[each.structure_id] = outcome.results.energy[i]
    assert set(numbers) | set(reasons) == {each.structure_id for each in batch}
    return numbers, reasons, budget


def test_a_batch_that_does_not_fit_is_halved_and_the_budget_remembers() -> None:
    engine = SmallDevice(room=1000)
    batch = [member(i, n_atoms=5, n_edges=180) for i in range(16)]  # 200 each
    numbers, reasons, budget = run(engine, batch)
    assert numbers == dict.fromkeys(range(16), 5.0)
    assert not reasons
    assert 400 <= budget.now().load <= 1000


def test_a_structure_that_fits_nowhere_fails_alone() -> None:
    batch = [member(0, 5), member(1, n_atoms=50, n_edges=2000), member(2, 5)]
    numbers, reasons, _ = run(SmallDevice(room=1000), batch)
    assert set(numbers) == {0, 2}
    assert reasons == {1: "does not fit into the memory of small, alone: 50 atoms, 2000 edges"}


def test_a_batch_the_host_cannot_put_together_is_halved() -> None:
    batch = [member(i, n_atoms=5, n_edges=5000 if i == 3 else 100) for i in range(8)]
    numbers, reasons, _ = run(SmallDevice(room=10**6, host_room=400), batch)
    assert set(numbers) == set(range(8)) - {3}
    assert reasons == {3: "does not fit into the memory of small, alone: 5 atoms, 5000 edges"}


def test_a_structure_the_engine_fails_on_fails_alone() -> None:
    batch = [member(i, n_atoms=13 if i == 5 else 2) for i in range(8)]
    numbers, reasons, _ = run(SmallDevice(room=1000), batch)
    assert set(numbers) == set(range(8)) - {5}
    assert reasons == {5: "thirteen atoms"}


def test_what_a_network_raises_is_of_the_batch_unless_the_device_is_lost() -> None:
    torch = pytest.importorskip("torch", reason="no torch in this environment")
    device = TorchDevice("cpu")
    with pytest.raises(EvaluationError, match="the model failed: RuntimeError: inconsistent"):
        device.within_memory(lambda: torch.ones(2) @ torch.ones(3))

    def fail() -> None:
        raise RuntimeError("CUDA error: device-side assert triggered\nCompile with ...")

    device.is_gpu = True  # as it would be where that is raised
    with pytest.raises(JobFailedError, match=r"cpu failed: .*device-side assert") as raised:
        device.within_memory(fail)
    assert not isinstance(raised.value, EvaluationError)


def test_what_is_no_number_is_a_reason() -> None:
    numbers, reasons, _ = run(SmallDevice(room=1000), [member(0, 7), member(1, 8)])
    assert numbers == {1: 8.0}
    assert reasons == {0: "the model gave NaN or infinity as energy"}


class Stressed(SmallDevice):
    """An engine with a stress that is no number."""

    def evaluate(self, batch: Sequence[Graph], wanted: Wanted) -> Results:
        results = super().evaluate(batch, wanted)
        return replace(results, stress=np.full((len(batch), 6), np.inf))


def test_a_stress_that_is_no_number_is_a_reason_where_there_should_be_one() -> None:
    molecule = member(0)
    graph = replace(molecule.graph, cell=np.eye(3), pbc=np.ones(3, bool))
    numbers, reasons, _ = run(Stressed(room=1000), [molecule, Member(1, graph)])
    assert set(numbers) == {0}
    assert reasons == {1: "the model gave NaN or infinity in stress"}


def test_latents_too_large_for_half_precision_are_a_reason() -> None:
    _, reasons, _ = run(SmallDevice(room=1000), [member(0, 2)], largest_latent=65504.0)
    assert reasons == {0: "the model gave latents of layer 0 beyond 65504"}


def test_a_gpu_budget_grows_into_free_memory_and_is_kept() -> None:
    engine = SmallDevice(10**9, memory=(10, 100))
    batch = [member(0, n_atoms=1, n_edges=FIRST_GPU_LOAD - 4)]
    _, _, budget = run(engine, batch, load=None)
    assert budget.now().load == 4 * FIRST_GPU_LOAD  # not eight times: memory grows unevenly
    budget.keep()
    assert AdaptiveBudget(engine, "mace", "key", None, None).now().load == 4 * FIRST_GPU_LOAD
    assert AdaptiveBudget(engine, "mace", "other", None, None).now().load == FIRST_GPU_LOAD


def test_a_budget_does_not_grow_again_after_it_was_too_large() -> None:
    engine = SmallDevice(1000, memory=(10, 100))
    _, _, budget = run(engine, [member(i, 5, 180) for i in range(8)], load=None)
    assert budget.now().load <= 1000


def test_a_budget_the_user_gave_does_not_grow() -> None:
    engine = SmallDevice(10**9, memory=(10, 100))
    _, _, budget = run(engine, [member(0, 5, 180)], load=300)
    assert budget.now().load == 300


def test_a_gpu_budget_leaves_some_memory_free() -> None:
    engine = SmallDevice(10**9, memory=(40, 100))
    _, _, budget = run(engine, [member(0, 1, FIRST_GPU_LOAD - 4)], load=None)
    assert budget.now().load == 2 * FIRST_GPU_LOAD


def test_a_budget_the_user_gave_is_for_one_job() -> None:
    engine = SmallDevice(10**9, memory=(10, 100))
    AdaptiveBudget(engine, "mace", "key", 300, None).keep()
    assert AdaptiveBudget(engine, "mace", "key", None, None).now().load == FIRST_GPU_LOAD


def test_a_budget_of_a_job_that_had_little_to_do_grows_in_the_next() -> None:
    engine = SmallDevice(10**9, memory=(10, 100))
    AdaptiveBudget(engine, "mace", "key", None, None).keep()
    _, _, budget = run(engine, [member(0, 1, FIRST_GPU_LOAD - 4)], load=None)
    assert budget.now().load == 4 * FIRST_GPU_LOAD


def test_a_structure_that_fits_nowhere_leaves_the_budget_to_the_others() -> None:
    engine = SmallDevice(room=10**6, memory=(10, 100))
    _, reasons, budget = run(engine, [member(0, 1, 10**7)], load=None)
    assert set(reasons) == {0}
    budget.fitted(FIRST_GPU_LOAD)
    assert budget.now().load == 4 * FIRST_GPU_LOAD


def test_a_torn_file_of_budgets_is_as_good_as_none(tmp_path: Any) -> None:
    (tmp_path / "atomlake").mkdir()
    (tmp_path / "atomlake" / "budgets.json").write_text('{"key": 1')
    engine = SmallDevice(10**9, memory=(10, 100))
    assert AdaptiveBudget(engine, "mace", "key", None, None).now().load == FIRST_GPU_LOAD
