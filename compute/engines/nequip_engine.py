"""NequIP and Allegro."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute.engines.engine import Floats, Integers, ModelFacts, Results, Wanted
from compute.engines.joined_graphs import JoinedGraphs, edge_lengths, numbers_to_types, voigt
from compute.engines.nequip_model import (
    FIELDS,
    check_dtype,
    check_family,
    cutoffs_of,
    facts_of,
    load_model,
    symbols_of,
)
from compute.engines.options import take_options
from compute.engines.torch_device import to_host
from compute.engines.torch_engine import TorchEngine
from lake.errors import InvalidInputError

Captured = dict[int, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class NequipBatch:
    """Structures on the host, as tensors; the names are those of NequIP."""

    tensors: Mapping[str, Any]
    is_periodic: NDArray[np.bool_]


class NequipEngine(TorchEngine[NequipBatch]):
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
        super().__init__(device)
        self._model = load_model(path, self._device)
        check_family(self._model.family, engine, path)
        metadata = self._model.network.metadata
        type_names = metadata["type_names"].split()
        type_of_symbol = symbols_of(type_names, types, path)
        self.facts: ModelFacts = facts_of(self._model, type_of_symbol)
        check_dtype(dtype, self.facts.dtype, path)
        self.types = numbers_to_types(type_of_symbol)
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

    def _collate(self, joined: JoinedGraphs, types: Integers) -> NequipBatch:
        edge_index, shifts = joined.edge_index, joined.shifts
        if self._cutoffs is not None:
            is_seen = (
                edge_lengths(joined) <= self._cutoffs[types[edge_index[0]], types[edge_index[1]]]
            )
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
