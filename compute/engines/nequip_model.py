"""A NequIP or Allegro from its file, and what the file says of it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compute.engines.engine import Floats, ModelFacts
from compute.engines.foreign_errors import LOADING_ERRORS, described
from compute.engines.scalar_columns import LatentLayer, scalars_of
from compute.engines.torch_device import TorchDevice, resolve_dtype
from lake.errors import InvalidInputError

# Classes are told by their names: those of a package come with it and are not the installed ones.
_LAYERS = {"ConvNetLayer": "nequip", "Allegro_Module": "allegro"}
FIELDS = {"nequip": "node_features", "allegro": "edge_features"}
_DERIVATIVES = "ForceStressOutput"
_POOLING = "EdgewiseReduce"
GIVEN = {"pos", "edge_index", "edge_cell_shift", "cell", "batch", "num_atoms", "atom_types"}
_NOT_NEEDED = {
    "edge_transpose_perm",
    "edge_vectors",
    "lmp_mliap_data",
    "num_local_ghost_atoms",
    "pbc",
}


@dataclass(frozen=True, eq=False)
class NequipModel:
    """A network with the parts of it that matter here.

    ``family`` is nequip, allegro, or None for what is neither; ``layers`` are modules and the
    scalars among their features; ``derivatives`` the module that adds forces and stress, None where
    there is none; ``norm`` divides sums over the edges of an atom, None where there is none.
    """

    network: Any
    family: str | None
    layers: tuple[tuple[Any, LatentLayer], ...]
    derivatives: Any
    norm: Any


def load_model(path: str, device: TorchDevice) -> NequipModel:
    """The model in a ``.ckpt`` or ``.nequip.zip`` file. Loading runs code of the file.

    Raises
    ------
    InvalidInputError
        The file cannot be read, or the model needs input a structure does not have.
    JobFailedError
        The device has no room for the model.
    """
    try:
        network = _load(path)
    except LOADING_ERRORS as error:
        raise InvalidInputError(
            f"{path}: cannot be loaded as a NequIP or Allegro model: {described(error)}. A "
            "checkpoint (.ckpt) or package (.nequip.zip) is expected. Copy the file again if it "
            "was cut short, or name the engine it belongs to."
        ) from None
    needed = set(network.model_input_fields) - GIVEN - _NOT_NEEDED
    if needed:
        raise InvalidInputError(
            f"{path}: the model takes {', '.join(sorted(needed))} as input, which structures of a "
            "lake do not have. Register a factory of its calculator as --engine ase."
        )
    return _parts(device.place(network))


def _load(path: str) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*torch.jit.*is deprecated", DeprecationWarning)
        from nequip.utils.global_state import set_global_state

        set_global_state(allow_tf32=False)
        from nequip.model.saved_models.load_utils import load_saved_model

        return load_saved_model(path)


def _parts(network: Any) -> NequipModel:
    modules = [(type(module).__name__, module) for module in network.modules()]
    found = [(_LAYERS[name], module) for name, module in modules if name in _LAYERS]
    family = found[0][0] if found else None
    pooling = [module for name, module in modules if name == _POOLING]
    derivatives = [module for name, module in modules if name == _DERIVATIVES]
    return NequipModel(
        network,
        family,
        tuple((module, _scalars(module, FIELDS[kind])) for kind, module in found),
        derivatives[0] if derivatives else None,
        getattr(pooling[0], "norm_module", None) if pooling else None,
    )


def _scalars(module: Any, field: str) -> LatentLayer:
    irreps = module.irreps_out[field]
    return scalars_of([(mul, ir.l, ir.p) for mul, ir in irreps], str(irreps))


def symbols_of(
    type_names: Sequence[str], types: Mapping[str, str] | None, path: str
) -> dict[str, int]:
    """The index of the model's type for every chemical symbol.

    Parameters
    ----------
    types
        The type of every symbol, where types are not named after elements.

    Raises
    ------
    InvalidInputError
        A type is no element and `types` is not given, or `types` names what there is not.
    """
    from ase.data import atomic_numbers

    chosen = {name: name for name in type_names} if types is None else types
    odd = sorted(
        {symbol for symbol in chosen if not atomic_numbers.get(symbol)}
        | {name for name in chosen.values() if name not in type_names}
    )
    if odd or not chosen:
        raise InvalidInputError(
            f"{path}: its atom types are {', '.join(type_names)}; {', '.join(odd)} cannot be "
            "matched with them. Chemical symbols are expected. Give the option types, an object "
            "with the type of every element."
        )
    return {symbol: list(type_names).index(name) for symbol, name in chosen.items()}


def cutoffs_of(metadata: Mapping[str, str], n_types: int) -> Floats | None:
    """Cutoff in Å of every pair of types, of centre and neighbour; None where all see equally far.

    Shape (n_types, n_types).
    """
    text = metadata.get("per_edge_type_cutoff")
    if not text:
        return None
    return np.array(text.split(), np.float64).reshape(n_types, n_types)


def facts_of(model: NequipModel, types: Mapping[str, int]) -> ModelFacts:
    """What there is to know of a model."""
    metadata = dict(model.network.metadata)
    return ModelFacts(
        elements=tuple(sorted(types, key=lambda symbol: types[symbol])),
        r_max=float(metadata["r_max"]),
        dtype=metadata["model_dtype"],
        n_parameters=sum(parameter.numel() for parameter in model.network.parameters()),
        layers=tuple(layer.n_features for _, layer in model.layers),
        config={
            "class": model.family,
            "irreps": [layer.irreps for _, layer in model.layers],
            **metadata,
        },
    )


def check_family(family: str | None, engine: str, path: str) -> None:
    """Refuse a model of another family than the engine.

    Raises
    ------
    InvalidInputError
        It is one.
    """
    if family is not None and family != engine:
        raise InvalidInputError(
            f"{path}: holds a model of {family}, but the engine {engine} was named. "
            f"Register it as --engine {family}."
        )


def check_dtype(dtype: str | None, own: str | None, path: str) -> None:
    """Refuse another type than that of the weights.

    Raises
    ------
    InvalidInputError
        It is another.
    """
    resolve_dtype(dtype)
    if dtype not in (None, own):
        raise InvalidInputError(
            f"{path}: its weights are {own}, and NequIP fixes the type when it builds a model, so "
            f"it cannot run in {dtype}. Leave --dtype out, or train a model of that type."
        )
