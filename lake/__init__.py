"""atomlake: a data lake for machine-learned interatomic potentials.

Examples
--------
>>> import lake
>>> lk = lake.open("lakes/demo")  # doctest: +SKIP
>>> lk.sql("SELECT config_type, count(*) FROM structures GROUP BY ALL").pl()  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lake.version import __version__

if TYPE_CHECKING:
    from lake.lake import Lake
    from lake.opening import create_lake as create
    from lake.opening import open_lake as open  # noqa: A004  # lake.open reads as it is

__all__ = ["Lake", "__version__", "create", "open"]

# Loaded at first use: `atomlake --help` imports this package and need not wait for pyarrow.
_AT_FIRST_USE = {
    "Lake": ("lake.lake", "Lake"),
    "create": ("lake.opening", "create_lake"),
    "open": ("lake.opening", "open_lake"),
}


def __getattr__(name: str) -> object:
    if name not in _AT_FIRST_USE:
        raise AttributeError(f"module 'lake' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _AT_FIRST_USE[name]
    return getattr(import_module(module), attribute)
