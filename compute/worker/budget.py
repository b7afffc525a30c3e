"""How much a device takes at once: found from its memory, lowered when it runs out, and kept."""

from __future__ import annotations

import threading

from compute.engines.engine import Engine
from compute.worker.batches import Budget
from compute.worker.remembered import recall, remember

# Where larger batches stop being faster on a CPU, in edges: see benchmarks/batch_sizes.py.
CPU_LOAD = {"mace": 16_000, "nequip": 16_000, "allegro": 1_000}
FIRST_GPU_LOAD = 50_000
LARGEST_LOAD = 8_000_000
MOST_GROWTH = 4.0  # at a time: memory does not grow evenly at first
SHARE_OF_MEMORY = 0.8
ASE_STRUCTURES = 1  # where one of several failed, the others would be computed again


class AdaptiveBudget:
    """The budget of one model on one device, adjusted as batches fit or do not fit.

    Parameters
    ----------
    engine
        The model on its device.
    kind
        Name of the engine.
    key
        Model, device and kind of work: a GPU's budget is kept under it between jobs.
    load
        What the user allows, in edges; it is only ever lowered, and never kept.
    structures
        Most structures of a batch.
    """

    def __init__(
        self, engine: Engine, kind: str, key: str, load: int | None, structures: int | None
    ) -> None:
        self._engine = engine
        self._key = key
        self._lock = threading.Lock()
        # On a CPU there is nothing to be found, and what a user allows is for one job.
        self._is_found = load is None and engine.memory_bytes() is not None
        known = recall(key) if self._is_found else load
        first = FIRST_GPU_LOAD if self._is_found else CPU_LOAD.get(kind, LARGEST_LOAD)
        if kind == "ase" and structures is None:
            structures = ASE_STRUCTURES
        self._budget = Budget(first if known is None else known, structures)
        # One that was kept grows on: the job that left it may have had too little to fill a batch.
        self._may_grow = self._is_found

    def now(self) -> Budget:
        """What goes into a batch at this moment."""
        with self._lock:
            return self._budget

    def fitted(self, load: int) -> None:
        """A batch of this load fitted; the next may be larger where much memory was left."""
        if not self._may_grow:
            return
        memory = self._engine.memory_bytes()
        if memory is None:
            return
        used, there = memory
        growth = min(SHARE_OF_MEMORY * there / max(used, 1), MOST_GROWTH)
        with self._lock:
            grown = min(int(load * growth), LARGEST_LOAD)
            self._budget = Budget(max(grown, self._budget.load), self._budget.structures)

    def overflowed(self, load: int) -> None:
        """A batch of this load did not fit: from now on at most half of it, and no growth.

        A structure beyond the budget says nothing of the batches within it.
        """
        with self._lock:
            if load > self._budget.load:
                return
            self._may_grow = False
            self._budget = Budget(
                max(min(self._budget.load, load // 2), 1), self._budget.structures
            )
        self.keep()

    def keep(self) -> None:
        """Keep a GPU's budget for the next job."""
        if self._is_found:
            remember(self._key, self.now().load)
