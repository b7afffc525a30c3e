"""Structures with known defects in a lake, and the regions stored of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase import Atoms
from ase.build import molecule
from compute_samples import make_lake

from benchmarks.known_defects import with_defect
from compute.regions.request import RegionRequest
from compute.regions.running import compute_regions
from compute.regions.scheme import LegacyScheme, Scheme, SitesScheme
from lake.lake import Lake

LEGACY, SITES = LegacyScheme(), SitesScheme()
SITES_NAMES = ("sites-2", "sites-3")


def frames() -> list[Atoms]:
    """A vacancy, an interstitial, two vacancies, none, a molecule and one atom."""
    defects = ("vacancy", "split", "two-vacancies", "none")
    made = [with_defect("bcc", 3, defect, 0.05, i).atoms for i, defect in enumerate(defects)]
    return [*made, molecule("CH3CH2OH"), Atoms("Cu")]


@pytest.fixture
def lake_of_defects(tmp_path: Path) -> Lake:
    """Six structures; modules name this fixture `lk`."""
    return make_lake(tmp_path, frames())


def compute(lk: Lake, scheme: Scheme = LEGACY, **options):
    return compute_regions(lk, RegionRequest(["metals"], scheme, **options))


def rows(lk: Lake, scheme: str) -> list[dict]:
    """The rows of a scheme in the order of the frames."""
    query = """
        SELECT r.*, s.frame FROM regions AS r JOIN structures AS s USING (dataset, structure_id)
        WHERE scheme = $scheme ORDER BY frame
    """
    return lk.sql(query, {"scheme": scheme}).pl().to_dicts()
