"""The interactive map of a page: chemiscope's own script, written into the page."""

from __future__ import annotations

import json
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from queries.report.blocks import Viewer
from queries.report.map_data import MapData

# chemiscope's package is not imported: the script alone is wanted, and it brings Jupyter along.
PACKAGE = "chemiscope"
SCRIPT = ("sphinx", "static", "chemiscope.min.js")
LOADING = "viewer.js"
MISSING = (
    "There is no interactive map: chemiscope is not installed, or not in a version that is known. "
    "Install it with: pip install 'atomlake[ood]', and write the report again."
)
CREDIT = (
    "The interactive map is drawn by chemiscope (chemiscope.org), whose script is part of this "
    "page under the BSD 3-Clause licence, copyright its authors."
)


def find_script() -> Path | None:
    """Where chemiscope's script lies; None where it is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.joinpath(*SCRIPT)
    return path if path.is_file() else None


def scripts_of(path: Path) -> tuple[str, ...]:
    """The scripts of a page with a viewer: chemiscope's, and what loads the data."""
    theirs = path.read_text(encoding="utf-8").replace("</script", "<\\/script")
    return theirs, (files("queries.report") / LOADING).read_text(encoding="utf-8")


def viewer_of(data: MapData, description: str) -> Viewer:
    """The block of a page."""
    caption = (
        f"{data.note} Click a point to see its structure; the menu of the map changes what its "
        f"axes, colours and symbols mean. {description}"
    )
    return Viewer("Interactive map", caption, json.dumps(data.dataset, separators=(",", ":")))
