"""atomlake: a data lake for machine-learned interatomic potentials.

Examples
--------
>>> import lake
>>> lk = lake.open("lakes/demo")  # doctest: +SKIP
>>> lk.sql("SELECT config_type, count(*) FROM structures GROUP BY ALL").pl()  # doctest: +SKIP
"""

from __future__ import annotations

from lake.lake import Lake
from lake.lake import create_lake as create
from lake.lake import open_lake as open  # the package is the namespace: lake.open reads as it is
from lake.version import __version__

__all__ = ["Lake", "__version__", "create", "open"]
