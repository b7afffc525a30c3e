"""How far a structure lies from a baseline set: models fitted on the baseline, and on it alone."""

from queries.ood.baseline.distances import DISTANCES
from queries.ood.baseline.fitting import fit_baseline
from queries.ood.baseline.models import Baseline, Origin, Settings
from queries.ood.baseline.scoring import BaselineScores, score_baseline
from queries.ood.baseline.storing import read_baseline, write_baseline

__all__ = [
    "DISTANCES",
    "Baseline",
    "BaselineScores",
    "Origin",
    "Settings",
    "fit_baseline",
    "read_baseline",
    "score_baseline",
    "write_baseline",
]
