"""The models of a baseline as a file of numbers: NumPy's ``.npz``, without any pickle."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lake.commands.json_text import json_text
from lake.errors import InvalidInputError, NotFoundError
from lake.exports.output_file import output_stream
from queries.ood.baseline.components import Components
from queries.ood.baseline.mixture import Mixture
from queries.ood.baseline.models import Baseline, Origin, Settings

if TYPE_CHECKING:
    import numpy.typing as npt

FORMAT = "atomlake baseline 1"
PLAIN = ("n_kept", "n_neighbours", "has_converged", "libraries")


def write_baseline(baseline: Baseline, path: Path) -> Path:
    """Write a baseline; ``facts`` in the file is JSON, all else are arrays.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    facts = {
        "format": FORMAT,
        "settings": asdict(baseline.settings),
        "origin": asdict(baseline.origin),
        **{name: getattr(baseline, name) for name in PLAIN},
    }
    with output_stream(str(path)) as stream, io.BytesIO() as buffer:
        arrays: dict[str, Any] = {"facts": np.array(json_text(facts)), **_arrays(baseline)}
        np.savez_compressed(buffer, **arrays)
        stream.write(buffer.getvalue())
    return path


def read_baseline(path: Path) -> Baseline:
    """Read a baseline that `write_baseline` wrote. No code from the file is run.

    Raises
    ------
    NotFoundError
        There is no such file.
    InvalidInputError
        It is something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _baseline(json.loads(str(arrays.pop("facts"))), arrays)
    except FileNotFoundError:
        raise NotFoundError(
            f"{path} is not there. Expected the baseline.npz of an earlier answer. Check the path."
        ) from None
    except (
        zipfile.BadZipFile,
        EOFError,
        OSError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise InvalidInputError(
            f"{path}: not the models of a baseline ({error}). Expected a file in the form "
            f"'{FORMAT}'. Fit the baseline again."
        ) from error


def _arrays(baseline: Baseline) -> dict[str, npt.NDArray[Any]]:
    mixture = baseline.mixture
    return {
        "identities": baseline.identities,
        "vectors": baseline.vectors,
        **_of_components("components", baseline.components),
        "mixture_mean": mixture.mean,
        "mixture_scale": mixture.scale,
        **_of_components("mixture_components", mixture.components),
        "mixture_weights": mixture.weights,
        "mixture_means": mixture.means,
        "mixture_covariances": mixture.covariances,
    }


def _of_components(name: str, components: Components) -> dict[str, npt.NDArray[Any]]:
    fields = ("centre", "axes", "variances", "total_variance")
    return {f"{name}_{field}": np.asarray(getattr(components, field)) for field in fields}


def _baseline(facts: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Baseline:
    if facts["format"] != FORMAT:
        raise ValueError(f"its form is {facts['format']!r}")
    origin = facts["origin"]
    return Baseline(
        settings=Settings(**facts["settings"]),
        origin=Origin(**(origin | {"members": tuple(origin["members"])})),
        identities=arrays["identities"],
        vectors=arrays["vectors"],
        components=_components("components", arrays),
        mixture=Mixture(
            arrays["mixture_mean"],
            arrays["mixture_scale"],
            _components("mixture_components", arrays),
            arrays["mixture_weights"],
            arrays["mixture_means"],
            arrays["mixture_covariances"],
        ),
        **{name: facts[name] for name in PLAIN},
    )


def _components(name: str, arrays: dict[str, npt.NDArray[Any]]) -> Components:
    return Components(
        arrays[f"{name}_centre"],
        arrays[f"{name}_axes"],
        arrays[f"{name}_variances"],
        float(arrays[f"{name}_total_variance"]),
    )
