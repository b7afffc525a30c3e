"""What engines of torch share: joining structures, and computing within the memory there is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from compute.engines.engine import Graph, Integers, ModelFacts, Results, Wanted
from compute.engines.joined_graphs import JoinedGraphs, join, type_indices
from compute.engines.torch_device import TorchDevice
from compute.engines.wanted_layers import check_wanted

Batch = TypeVar("Batch")


class TorchEngine(ABC, Generic[Batch]):
    """A network on a device.

    Parameters
    ----------
    device
        See `TorchDevice`.

    Attributes
    ----------
    types
        The network's index of every atomic number, -1 where it does not know it.
    """

    facts: ModelFacts
    types: Integers

    def __init__(self, device: str) -> None:
        self._device = TorchDevice(device)
        self._device.use_full_precision()
        self.device_name = self._device.name

    def collate(self, graphs: Sequence[Graph]) -> Batch:
        """Join structures and turn them into tensors of the host.

        Raises
        ------
        InvalidInputError
            An element the model does not know, or no structures.
        OutOfMemoryError, EvaluationError, JobFailedError
            See `TorchDevice.within_memory`.
        """
        return self._device.within_memory(lambda: self._joined(graphs))

    def _joined(self, graphs: Sequence[Graph]) -> Batch:
        joined = join(graphs)
        types = type_indices(joined.numbers, self.types, self.facts.elements or ())
        return self._collate(joined, types)

    def evaluate(self, batch: Batch, wanted: Wanted) -> Results:
        """Compute, in one forward pass.

        Raises
        ------
        InvalidInputError
            The model has no such layer, or gives no forces.
        OutOfMemoryError, EvaluationError, JobFailedError
            See `TorchDevice.within_memory`.
        """
        check_wanted(wanted, self.facts)
        return self._device.within_memory(lambda: self._evaluate(batch, wanted))

    def memory_bytes(self) -> tuple[int, int] | None:
        """See `TorchDevice.memory_bytes`."""
        return self._device.memory_bytes()

    @abstractmethod
    def _collate(self, joined: JoinedGraphs, types: Integers) -> Batch:
        """The tensors of the network; `types` has its index of every atom."""

    @abstractmethod
    def _evaluate(self, batch: Batch, wanted: Wanted) -> Results:
        """One forward pass."""
