"""The command that installs atomlake, as it is here, into another environment."""

from __future__ import annotations

import json
import shlex
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from compute.environments.engine_packages import EXTRAS
from compute.environments.environment import HERE
from compute.environments.probe import Probe
from compute.environments.worker_packages import unmet, worker_requirements
from lake.version import __version__

TORCH = "torch==2.13.0"


def install_command(probe: Probe, engine: str | None = None) -> str:
    """What to type so that an environment gets this version of atomlake and an engine's packages.

    Torch comes first, because a plain torch asked for by another package is the largest there is.
    The environment here gets all of atomlake, others what workers need of it.
    """
    extra = EXTRAS.get(engine or "")
    if probe.environment.name == HERE:
        commands = [_pip(probe, *_requirement(extra))]
    else:
        commands = _for_workers(probe, engine)
    if extra is not None and probe.packages["torch"] is None:
        commands.insert(0, _pip(probe, TORCH))
    return " && ".join(commands)


def _for_workers(probe: Probe, engine: str | None) -> list[str]:
    """What is lacking; everything where nothing is, because something must be broken."""
    required = worker_requirements(engine)
    lacking = unmet(required, probe.packages)
    packages = _pip(probe, *map(str, lacking or required))
    atomlake = _pip(probe, "--no-deps", *_requirement(None))
    if probe.atomlake != __version__:
        return [packages, atomlake] if lacking else [atomlake]
    return [packages] if lacking else [packages, atomlake]


def _pip(probe: Probe, *what: str) -> str:
    python = probe.environment.python
    start = [python, "-m", "pip", "install"] if probe.has_pip else ["uv", "pip", "install"]
    where = [] if probe.has_pip else ["--python", python]
    return shlex.join([*start, *where, *what])


def _requirement(extra: str | None) -> tuple[str, ...]:
    """What to give to pip for atomlake as it was installed here."""
    name = "atomlake" if extra is None else f"atomlake[{extra}]"
    origin = _origin()
    url = origin.get("url", "")
    if "dir_info" in origin:
        folder = url2pathname(urlparse(url).path)
        path = folder if extra is None else f"{folder}[{extra}]"
        return ("-e", path) if origin["dir_info"].get("editable") else (path,)
    if "vcs_info" in origin:
        vcs = origin["vcs_info"]
        return (f"{name} @ {vcs['vcs']}+{url}@{vcs['commit_id']}",)
    if url:
        return (f"{name} @ {url}",)
    return (f"{name}=={__version__}",)


def _origin() -> dict[str, Any]:
    """Where this atomlake was installed from, as pip recorded it; empty for an index."""
    for distribution in distributions(name="atomlake"):
        text = distribution.read_text("direct_url.json")
        if text is not None:
            origin: dict[str, Any] = json.loads(text)
            return origin
    checkout = Path(__file__).parent.parent.parent
    if (checkout / "pyproject.toml").is_file():  # run from a checkout that is not installed
        return {"url": checkout.as_uri(), "dir_info": {"editable": True}}
    return {}
