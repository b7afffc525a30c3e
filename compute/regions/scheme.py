"""Schemes: rules that say which region each atom of a structure is in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from compute.regions import legacy, sites
from compute.regions.radii import Radii
from compute.regions.reference import FoundLattice, GivenLattice
from compute.regions.structure import Regions, Structure
from lake.errors import InvalidInputError, NotFoundError

FAMILIES = ("legacy", "sites")


class Scheme(Protocol):
    """A rule, with its parameters. It gives two schemes of the table: of two and three regions."""

    @property
    def family(self) -> str:
        """Name of the rule."""

    @property
    def version(self) -> str:
        """Version of its code."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What its labels depend on, as JSON can hold it."""

    def find(self, structure: Structure) -> Regions:
        """The regions of a structure.

        Raises
        ------
        NoRegionsError
            The scheme does not apply to it.
        InvalidInputError
            Its cell spans no volume, or a position is no number.
        """


@dataclass(frozen=True)
class LegacyScheme:
    """See `compute.regions.legacy`."""

    radii: Radii = field(default_factory=Radii)
    family: str = "legacy"
    version: str = legacy.VERSION

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The radii."""
        return asdict(self.radii)

    def find(self, structure: Structure) -> Regions:
        """See `Scheme`."""
        return legacy.find_legacy(structure, self.radii)


@dataclass(frozen=True)
class SitesScheme:
    """See `compute.regions.sites`."""

    radii: Radii = field(default_factory=Radii)
    reference: FoundLattice | GivenLattice = field(default_factory=FoundLattice)
    family: str = "sites"
    version: str = sites.VERSION

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The radii and the reference."""
        return {**asdict(self.radii), **self.reference.parameters}

    def find(self, structure: Structure) -> Regions:
        """See `Scheme`."""
        return sites.find_sites(structure, self.radii, self.reference)


def make_scheme(
    family: str, radii: Radii, reference: FoundLattice | GivenLattice | None = None
) -> Scheme:
    """A scheme by its name.

    Raises
    ------
    NotFoundError
        There is none of this name.
    InvalidInputError
        A radius cannot be meant, or a reference is given to a scheme that has none.
    """
    if family not in FAMILIES:
        raise NotFoundError.among("scheme of regions", family, FAMILIES)
    for name, value in asdict(radii).items():
        if not (value > 0 and math.isfinite(value)):
            option = f"--{name.replace('_', '-')}"
            raise InvalidInputError(f"{option} {value:g}: expected a number above 0.")
    if radii.bulk < radii.defect:
        raise InvalidInputError(
            f"--defect {radii.defect:g} --bulk {radii.bulk:g}: an atom would be in both regions. "
            "Expected the bulk to begin where the defect ends, or further out."
        )
    if family == "sites":
        return SitesScheme(radii, reference or FoundLattice())
    if reference is not None:
        raise InvalidInputError(
            f"--scheme {family} looks at no lattice. Expected --lattice and --reference with "
            "--scheme sites alone. Leave them out."
        )
    return LegacyScheme(radii)
