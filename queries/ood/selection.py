"""What a question about out-of-distribution structures is about: sets, and an ensemble."""

from __future__ import annotations

from dataclasses import dataclass

# Room for latents. Less is slower, and more is: a new process has to be given it.
DEFAULT_MEMORY_MIB = 256


@dataclass(frozen=True)
class StructureSet:
    """Structures of one dataset.

    Attributes
    ----------
    name
        How the set is called in the result.
    dataset
        Where its structures are.
    where
        SQL condition over structures; None takes all of the dataset.
    is_candidate
        Whether structures are chosen from it; not of a set that is the baseline alone.
    """

    name: str
    dataset: str
    where: str | None = None
    is_candidate: bool = True


@dataclass(frozen=True)
class Member:
    """A model of the ensemble, as it was registered; ``parent`` and ``seed`` may be unknown."""

    model: str
    model_id: int
    sha256: str
    group: str | None = None
    seed: int | None = None
    parent: str | None = None


@dataclass(frozen=True)
class OodSelection:
    """The sets, the members of the ensemble, and which latents of theirs.

    Attributes
    ----------
    ensemble
        How the members are called together: their group, or the patterns they were named by.
    members
        In order of name; at least two.
    layer
        Layer of the latents.
    definition
        What the latents are, as JSON; the same for all members. None where nobody said it.
    n_features
        Width of the latents.
    sets
        In the order given; the baseline, where it is no candidate, last.
    baseline
        Name of the set that quantiles and distances refer to; None without.
    is_partial_allowed
        Whether structures that a member has no latents for are left out instead of refused.
    """

    ensemble: str
    members: tuple[Member, ...]
    layer: str
    definition: str | None
    n_features: int
    sets: tuple[StructureSet, ...]
    baseline: str | None = None
    is_partial_allowed: bool = False

    @property
    def candidates(self) -> tuple[StructureSet, ...]:
        """The sets that structures are chosen from."""
        return tuple(each for each in self.sets if each.is_candidate)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Datasets of all sets, each once."""
        return tuple(dict.fromkeys(each.dataset for each in self.sets))
