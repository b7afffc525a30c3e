"""NequIP and Allegro."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute.engines.engine import Floats, Graph, Integers, ModelFacts, Results, Wanted
from compute.engines.joined_graphs import JoinedGraphs, join, numbers_to_types, type_indices, voigt
from compute.engines.nequip_model import FIELDS, cutoffs_of, facts_of, load_model, symbols_of
from compute.engines.options import take_options
from compute.engines.torch_device import TorchDevice, resolve_dtype, to_host
from compute.engines.wanted_layers import check_wanted
from lake.errors import InvalidInputError

Captured = dict[int, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class NequipBatch:
    """Structures on the host, as tensors; the names are those of NequIP."""

    tensors: Mapping[str, Any]
    is_periodic: NDArray[np.bool_]


class NequipEngine:
    """A NequIP or Allegro in a ``.ckpt`` or ``.nequip.zip`` file.

    Parameters
    ----------
    engine
        ``nequip`` or ``allegro``.
    device
        See `TorchDevice`.
    dtype
        That of the weights, or None; these models cannot be converted.
    options
        ``types``: the model's type of every element, where types are not named after elements.

    Raises
    ------
    InvalidInputError
        No such device, another dtype, or the file holds no model of this engine.
    JobFailedError
        The device has no room for the model.
    """

    def __init__(
        self, engine: str, path: str, device: str, dtype: str | None, options: Mapping[str, Any]
    ) -> None:
        types = take_options(options, ("types",), engine).get("types")
        self._device = TorchDevice(device)
        self._device.use_full_precision()
        self._model = load_model(path, self._device)
        _check_family(self._model.family, engine, path)
        metadata = self._model.network.metadata
        type_names = metadata["type_names"].split()
        type_of_symbol = symbols_of(type_names, types, path)
        self.facts: ModelFacts = facts_of(self._model, type_of_symbol)
        self.device_name = self._device.name
        _check_dtype(dtype, self.facts.dtype, path)
        self._types = numbers_to_types(type_of_symbol)
        self._cutoffs = cutoffs_of(metadata, len(type_names))

    def latent_definition(self, layer: int) -> Mapping[str, Any]:
        """Which columns of which features the latent is, and how it comes to be one per atom."""
        is_edgewise = self._model.family == "allegro"
        _, this = self._model.layers[layer]
        return {
            "engine": self._model.family,
            "layer": layer,
            "quantity": FIELDS[self._model.family or "nequip"],
            "columns": [list(run) for run in this.columns],
            "irreps": this.irreps,
            "pooling": "sum over neighbours / sqrt(2 avg_num_neighbors)" if is_edgewise else None,
        }

    def collate(self, graphs: Sequence[Graph]) -> NequipBatch:
        """Join structures and turn them into tensors of the host.

        Raises
        ------
        InvalidInputError
            An element the model does not know, or no structures.
        OutOfMemoryError
            The host has no room for it.
        """
        return self._device.within_memory(lambda: self._collate(graphs))

    def _collate(self, graphs: Sequence[Graph]) -> NequipBatch:
        joined = join(graphs)
        types = type_indices(joined.numbers, self._types, self.facts.elements or ())
        edge_index, shifts = joined.edge_index, joined.shifts
        if self._cutoffs is not None:
            is_seen = _lengths(joined) <= self._cutoffs[types[edge_index[0]], types[edge_index[1]]]
            edge_index, shifts = np.ascontiguousarray(edge_index[:, is_seen]), shifts[is_seen]
        arrays: dict[str, Floats | Integers] = {
            "pos": joined.positions,
            "cell": joined.cells,  # a molecule's is zero: it has no stress
            "edge_index": edge_index,
            "edge_cell_shift": shifts,
            "atom_types": types,
            "batch": joined.batch,
            "num_atoms": joined.n_atoms,
        }
        tensors = {name: self._device.host_tensor(array) for name, array in arrays.items()}
        return NequipBatch(tensors, joined.is_periodic)

    def evaluate(self, batch: NequipBatch, wanted: Wanted) -> Results:
        """Compute, in one forward pass.

        Raises
        ------
        InvalidInputError
            The model has no such layer, or gives no forces.
        OutOfMemoryError
            The device has no room for it.
        """
        check_wanted(wanted, self.facts)
        return self._device.within_memory(lambda: self._evaluate(batch, wanted))

    def memory_bytes(self) -> tuple[int, int] | None:
        """See `TorchDevice.memory_bytes`."""
        return self._device.memory_bytes()

    def _evaluate(self, batch: NequipBatch, wanted: Wanted) -> Results:
        import torch

        data = {name: self._device.put(tensor) for name, tensor in batch.tensors.items()}
        if self._model.derivatives is not None:
            self._model.derivatives.do_derivatives = wanted.forces
        with torch.set_grad_enabled(wanted.forces), self._capture(wanted.layers) as captured:
            output = self._model.network(data)
        return Results(
            energy=to_host(output["total_energy"]).reshape(-1),
            forces=_forces(output) if wanted.forces else None,
            stress=_stress(output, batch.is_periodic) if wanted.forces else None,
            latents={layer: self._latent(captured[layer], layer) for layer in wanted.layers},
        )

    @contextmanager
    def _capture(self, layers: Sequence[int]) -> Iterator[Captured]:
        """Keep what layers give while the model runs: its output holds the last one's at most."""
        captured: Captured = {}
        with ExitStack() as stack:
            for layer in layers:
                module, _ = self._model.layers[layer]
                stack.callback(module.register_forward_hook(_keeper(captured, layer)).remove)
            yield captured

    def _latent(self, kept: Mapping[str, Any], layer: int) -> NDArray[Any]:
        import torch

        _, this = self._model.layers[layer]
        features = kept[FIELDS[self._model.family or "nequip"]].detach()
        features = torch.cat([features[:, start:stop] for start, stop in this.columns], dim=1)
        if self._model.family == "allegro":
            features = self._pooled(features, kept)
        latent: NDArray[Any] = features.cpu().numpy()
        return latent

    def _pooled(self, features: Any, kept: Mapping[str, Any]) -> Any:
        """Features of edges summed over each centre, scaled as Allegro scales its edge energies."""
        types = kept["atom_types"].view(-1)
        sums = features.new_zeros((len(types), features.shape[1]))
        sums.index_add_(0, kept["edge_index"][0], features)
        scaled = self._model.norm({"node_features": sums, "atom_types": types})["node_features"]
        return scaled / np.sqrt(2.0)


def _keeper(captured: Captured, layer: int) -> Any:
    def keep(_module: object, _arguments: object, output: Mapping[str, Any]) -> None:
        captured[layer] = dict(output)  # later layers write into the same dict

    return keep


def _check_family(family: str | None, engine: str, path: str) -> None:
    if family is not None and family != engine:
        raise InvalidInputError(
            f"{path}: holds a model of {family}, but the engine {engine} was named. "
            f"Register it as --engine {family}."
        )


def _check_dtype(dtype: str | None, own: str | None, path: str) -> None:
    resolve_dtype(dtype)
    if dtype not in (None, own):
        raise InvalidInputError(
            f"{path}: its weights are {own}, and NequIP fixes the type when it builds a model, so "
            f"it cannot run in {dtype}. Leave --dtype out, or train a model of that type."
        )


def _lengths(joined: JoinedGraphs) -> Floats:
    """Length of every edge. Shape (n_edges,), Å."""
    centre, neighbour = joined.edge_index
    cells = joined.cells[joined.batch[centre]]
    vectors = joined.positions[neighbour] - joined.positions[centre]
    vectors += np.einsum("ei,eij->ej", joined.shifts, cells)
    lengths: Floats = np.linalg.norm(vectors, axis=1)
    return lengths


def _forces(output: Mapping[str, Any]) -> Floats:
    if "forces" not in output:
        raise InvalidInputError(
            "The model gives energies but no forces. Ask for latents alone, or use another model."
        )
    return to_host(output["forces"])


def _stress(output: Mapping[str, Any], is_periodic: NDArray[np.bool_]) -> Floats | None:
    if "stress" not in output:
        return None
    return voigt(to_host(output["stress"]).reshape(-1, 3, 3), is_periodic)
