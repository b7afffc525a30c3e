"""The models of a baseline, as numbers: what they are, and what they were fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from queries.ood.baseline.components import Components
from queries.ood.baseline.mixture import Mixture

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True)
class Settings:
    """What may be chosen about the models; the defaults are those of the analysis.

    Attributes
    ----------
    explained
        Share of the variance that the components kept explain.
    n_neighbours
        Which neighbour's distance is meant, and over how many the mean is taken.
    n_components_of_density, n_gaussians
        Of the mixture.
    n_clusters
        Of the most uncertain structures, and of the most uncertain atoms.
    share_uncertain, n_uncertain
        The most uncertain are this share of the candidates, and at least so many.
    n_uncertain_atoms
        How many atoms are the most uncertain.
    n_on_map
        Structures on a map of neighbours at most, the chosen among them.
    seed
        Of every random step: the mixture, the clusters, the map and what is left off it.
    """

    explained: float = 0.95
    n_neighbours: int = 5
    n_components_of_density: int = 16
    n_gaussians: int = 5
    n_clusters: int = 5
    share_uncertain: float = 0.1
    n_uncertain: int = 50
    n_uncertain_atoms: int = 1000
    n_on_map: int = 3000
    seed: int = 0


@dataclass(frozen=True)
class Origin:
    """What a baseline was fitted on.

    Attributes
    ----------
    set, dataset, where
        The set of structures.
    members
        Checksums of the models of the ensemble, in any order.
    layer, definition
        Which latents.
    lake_path, lake_version
        Where the latents were.
    """

    set: str
    dataset: str
    where: str | None
    members: tuple[str, ...]
    layer: str
    definition: str | None
    lake_path: str
    lake_version: int


@dataclass(frozen=True)
class Baseline:
    """Everything fitted on a baseline set; applying it needs no more than numpy and scipy.

    Attributes
    ----------
    identities
        The structures, ascending. Shape (n_structures,).
    vectors
        Their embeddings: means of latents over atoms and members. Shape (n_structures, n_features).
    components
        All whose spread is more than rounding.
    n_kept
        How many of them, the widest, explain what the settings ask for.
    n_neighbours
        As in the settings, or all others where the baseline has fewer.
    has_converged
        Whether the fit of the mixture came to an end.
    libraries
        Versions of what fitted it, by name.
    """

    settings: Settings
    origin: Origin
    identities: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float64]
    components: Components
    n_kept: int
    n_neighbours: int
    mixture: Mixture
    has_converged: bool
    libraries: dict[str, str]

    @property
    def kept(self) -> Components:
        """The components that explain what the settings ask for."""
        return self.components.first(self.n_kept)

    @property
    def n_features(self) -> int:
        """Width of the embeddings."""
        return int(self.vectors.shape[1])
