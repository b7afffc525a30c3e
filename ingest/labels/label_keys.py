"""Under which keys the labels of a frame are looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.labels.units import SourceUnits
from lake.errors import InvalidInputError, NotFoundError

# The first that a frame has is taken; a second one must hold the same.
ALIASES: dict[str, tuple[str, ...]] = {
    "energy": (
        "REF_energy",
        "energy",
        "free_energy",
        "ref_energy",
        "dft_energy",
        "total_energy",
        "E",
    ),
    "forces": (
        "REF_force",
        "REF_forces",
        "forces",
        "force",
        "ref_forces",
        "dft_forces",
        "dft_force",
        "F",
    ),
    "stress": ("REF_stress", "stress", "ref_stress", "dft_stress"),
    "virial": ("virial", "virials", "REF_virial", "REF_virials", "dft_virial"),
    "config_type": ("config_type",),
}
# One letter may stand for anything: what is no number there is an ordinary key.
AMBIGUOUS = frozenset(("E", "F"))


@dataclass(frozen=True)
class LabelRules:
    """Which keys hold the labels, and in which units.

    Parameters
    ----------
    key_map
        Key of the source for ``energy``, ``forces``, ``stress``, ``virial`` or ``config_type``; an
        empty one says that the source has no such label. The others are looked for under their
        usual names.
    units
        Units of the source.

    Raises
    ------
    NotFoundError
        `key_map` names a label that does not exist.
    InvalidInputError
        `key_map` takes one key for two labels.
    """

    key_map: Mapping[str, str] = field(default_factory=dict)
    units: SourceUnits = field(default_factory=SourceUnits)

    def __post_init__(self) -> None:
        for label in self.key_map:
            if label not in ALIASES:
                raise NotFoundError.among("label", label, ALIASES)
        label_of: dict[str, str] = {}
        for label, key in self.key_map.items():
            if key and label_of.setdefault(key, label) != label:
                raise InvalidInputError(
                    f"--map gives the key {key} to {label_of[key]} and to {label}. One key holds "
                    "one label: give each its own."
                )

    def keys(self, label: str) -> tuple[str, ...]:
        """The keys `label` may stand under, the first one first."""
        if label in self.key_map:
            return (self.key_map[label],) if self.key_map[label] else ()
        taken = self.key_map.values()
        return tuple(key for key in ALIASES[label] if key not in taken)

    def must_hold(self, label: str, key: str) -> bool:
        """Whether a frame that has `key` with something else than `label` is to be refused."""
        return self.is_fixed(label) or key not in AMBIGUOUS

    def claim(self, label: str) -> str:
        """Why a key is taken for `label`."""
        return f"mapped to {label}" if self.is_fixed(label) else f"a usual name of {label}"

    def is_fixed(self, label: str) -> bool:
        """Whether the user named the key of `label`."""
        return label in self.key_map
