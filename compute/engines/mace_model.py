"""A MACE from its file, and what the file says of it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

from compute.engines.engine import ModelFacts
from compute.engines.foreign_errors import LOADING_ERRORS, described
from compute.engines.scalar_columns import LatentLayer, scalars_of
from lake.errors import InvalidInputError

# Others of the package need charges or spins, take the cell of a molecule at its word, or give no
# energy.
KNOWN_CLASSES = ("MACE", "ScaleShiftMACE")


def import_mace() -> None:
    """Import the package without what it has to say.

    It comes before e3nn, as it sets how that loads its tables.
    """
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):  # it prints what it lacks
        warnings.filterwarnings("ignore", "Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
        warnings.filterwarnings("ignore", ".*torch.jit.*is deprecated", DeprecationWarning)
        import mace.modules  # noqa: F401


def load_model(path: str) -> Any:
    """The network in a ``.model`` file, on the host. Loading runs code of the file.

    Raises
    ------
    InvalidInputError
        The file cannot be read, or holds something else.
    """
    import torch

    import_mace()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*torch.jit.*is deprecated", DeprecationWarning)
            model = torch.load(path, map_location="cpu", weights_only=False)
    except LOADING_ERRORS as error:
        raise InvalidInputError(
            f"{path}: cannot be loaded as a MACE model: {described(error)}. A .model file as "
            "mace_run_train writes it is expected. Copy the file again if it was cut short, or "
            "name the engine it belongs to."
        ) from None
    _check_class(model, path)
    return model


def _check_class(model: Any, path: str) -> None:
    name = type(model).__name__
    if name in KNOWN_CLASSES and getattr(model, "embedding_specs", None) is None:
        return
    if isinstance(model, dict) and "hyper_parameters" in model:
        name, hint = (
            "checkpoint of a trainer",
            "For NequIP or Allegro give --engine nequip or allegro",
        )
    elif isinstance(model, dict) and "optimizer" in model:
        name, hint = "checkpoint with optimiser", "Give the .model file that lies beside it"
    elif name in KNOWN_CLASSES:
        name, hint = f"{name} that takes charges or spins", "Register it as --engine ase"
    else:
        hint = "If MACE's calculator takes it, register a factory of that as --engine ase"
    raise InvalidInputError(
        f"{path}: holds a {name}. A {' or '.join(KNOWN_CLASSES)} is expected. {hint}."
    )


def layers_of(model: Any) -> tuple[LatentLayer, ...]:
    """The layers of ``node_feats``, first layer first; none where the model does not tell.

    Variants for other kernels keep their features in an order of their own.
    """
    layers = []
    for product in model.products:
        irreps = getattr(product.linear, "irreps_out", None)
        if irreps is None or not hasattr(irreps, "lmax"):
            return ()
        layers.append(scalars_of([(mul, ir.l, ir.p) for mul, ir in irreps], str(irreps)))
    return tuple(layers)


def choose_head(model: Any, wanted: str | None, path: str) -> int:
    """The index of the head: the one wanted, the only one, or the one called default.

    Raises
    ------
    InvalidInputError
        There is no such head, or none was wanted and none is the default.
    """
    heads = heads_of(model)
    if wanted is None:
        named_default = [head for head in heads if head.lower() == "default"]
        chosen = heads[0] if len(heads) == 1 else next(iter(named_default), None)
        text = "it has several heads, none called default"
    else:
        chosen = wanted if wanted in heads else None
        text = f"it has no head {wanted!r}"
    if chosen is None:
        raise InvalidInputError(
            f"{path}: {text}. One of {', '.join(heads)} is expected. Give it as the option head."
        )
    return heads.index(chosen)


def heads_of(model: Any) -> list[str]:
    """Names of the heads; models from before there were several have one."""
    return list(getattr(model, "heads", None) or ["Default"])


def facts_of(model: Any, layers: tuple[LatentLayer, ...], head: str, dtype: str) -> ModelFacts:
    """What there is to know of a model."""
    from ase.data import chemical_symbols

    return ModelFacts(
        elements=tuple(chemical_symbols[int(number)] for number in model.atomic_numbers),
        r_max=float(model.r_max),
        dtype=dtype,
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
        layers=tuple(layer.n_features for layer in layers),
        config=_config(model, layers, head),
    )


def _config(model: Any, layers: tuple[LatentLayer, ...], head: str) -> Mapping[str, Any]:
    first = model.interactions[0]
    return {
        "class": type(model).__name__,
        "heads": heads_of(model),
        "head": head,
        "num_interactions": int(model.num_interactions),
        "interactions": [type(interaction).__name__ for interaction in model.interactions],
        "irreps": [layer.irreps for layer in layers],
        "max_ell": int(model.spherical_harmonics.irreps_out.lmax),
        "avg_num_neighbors": float(first.avg_num_neighbors),
        "pair_repulsion": hasattr(model, "pair_repulsion"),
    }
