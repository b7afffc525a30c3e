"""MACE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute.engines.engine import Integers, ModelFacts, Results, Wanted
from compute.engines.joined_graphs import JoinedGraphs, numbers_to_types, voigt
from compute.engines.mace_model import choose_head, facts_of, heads_of, layers_of, load_model
from compute.engines.neighbours import full_cell
from compute.engines.options import take_options
from compute.engines.torch_device import dtype_name, resolve_dtype, to_host
from compute.engines.torch_engine import TorchEngine


@dataclass(frozen=True, eq=False)
class MaceBatch:
    """Structures on the host, as tensors; the names are those of MACE."""

    tensors: Mapping[str, Any]
    n_structures: int
    is_periodic: NDArray[np.bool_]


class MaceEngine(TorchEngine[MaceBatch]):
    """A MACE in a ``.model`` file.

    Parameters
    ----------
    device
        See `TorchDevice`.
    dtype
        ``float32`` or ``float64``; None for that of the weights.
    options
        ``head``: the readout to use, of a model with several.

    Raises
    ------
    InvalidInputError
        No such device or head, or the file holds no MACE.
    JobFailedError
        The device has no room for the model.
    """

    def __init__(
        self, path: str, device: str, dtype: str | None, options: Mapping[str, Any]
    ) -> None:
        head = take_options(options, ("head",), "mace").get("head")
        super().__init__(device)
        self._model = self._device.place(load_model(path), resolve_dtype(dtype))
        self._dtype = next(self._model.parameters()).dtype
        self._head = choose_head(self._model, head, path)
        self._layers = layers_of(self._model)
        head_name = heads_of(self._model)[self._head]
        self.facts: ModelFacts = facts_of(
            self._model, self._layers, head_name, dtype_name(self._dtype)
        )
        elements = self.facts.elements or ()
        self.types = numbers_to_types({symbol: i for i, symbol in enumerate(elements)})

    def latent_definition(self, layer: int) -> Mapping[str, Any]:
        """Which columns of MACE's ``node_feats`` the latent is."""
        before = sum(other.width for other in self._layers[:layer])
        this = self._layers[layer]
        return {
            "engine": "mace",
            "layer": layer,
            "quantity": "node_feats",
            "columns": [[before + start, before + stop] for start, stop in this.columns],
            "irreps": this.irreps,
            "pooling": None,
        }

    def _collate(self, joined: JoinedGraphs, types: Integers) -> MaceBatch:
        host = self._device.host_tensor
        tensors = {
            "types": host(types),
            "positions": host(joined.positions, self._dtype),
            "cell": host(_cells(joined).reshape(-1, 3), self._dtype),
            "unit_shifts": host(joined.shifts, self._dtype),
            "edge_index": host(joined.edge_index),
            "batch": host(joined.batch),
            "ptr": host(joined.ptr),
        }
        return MaceBatch(tensors, len(joined.n_atoms), joined.is_periodic)

    def _evaluate(self, batch: MaceBatch, wanted: Wanted) -> Results:
        import torch

        with_stress = wanted.forces and bool(batch.is_periodic.any())
        with torch.set_grad_enabled(wanted.forces):
            output = self._model(
                self._input(batch, with_stress),
                compute_force=wanted.forces,
                compute_stress=with_stress,
            )
        stress = voigt(to_host(output["stress"]), batch.is_periodic) if with_stress else None
        if wanted.forces and stress is None:
            stress = np.full((batch.n_structures, 6), np.nan)
        return Results(
            energy=to_host(output["energy"]),
            forces=to_host(output["forces"]) if wanted.forces else None,
            stress=stress,
            latents={layer: self._latent(output, layer) for layer in wanted.layers},
        )

    def _input(self, batch: MaceBatch, with_stress: bool) -> dict[str, Any]:
        import torch

        data = {name: self._device.put(tensor) for name, tensor in batch.tensors.items()}
        n_types = len(self.facts.elements or ())
        one_hot = torch.nn.functional.one_hot(data.pop("types"), n_types)
        data["node_attrs"] = one_hot.to(self._dtype)
        data["head"] = data["ptr"].new_full((batch.n_structures,), self._head)
        if with_stress:
            # MACE's own is tied to all positions, so one structure's NaN would reach the forces of
            # all others.
            shape = (batch.n_structures, 3, 3)
            data["displacement"] = data["cell"].new_zeros(shape).requires_grad_(True)
        else:
            cell_of_edge = data["cell"].view(-1, 3, 3)[data["batch"][data["edge_index"][0]]]
            data["shifts"] = torch.einsum("ei,eij->ej", data["unit_shifts"], cell_of_edge)
        return data

    def _latent(self, output: Mapping[str, Any], layer: int) -> NDArray[Any]:
        import torch

        features = output["node_feats"]
        columns = self.latent_definition(layer)["columns"]
        parts = [features[:, start:stop] for start, stop in columns]
        latent: NDArray[Any] = torch.cat(parts, dim=1).detach().cpu().numpy()
        return latent


def _cells(joined: JoinedGraphs) -> NDArray[np.float64]:
    """Cells that span a volume. Shape (n_structures, 3, 3), Å."""
    cells = joined.cells.copy()
    is_molecule = ~joined.pbc.any(axis=1)
    cells[is_molecule] = np.eye(3)
    for i in np.flatnonzero(~joined.is_periodic & ~is_molecule):
        cells[i] = full_cell(cells[i], joined.pbc[i])
    return cells
