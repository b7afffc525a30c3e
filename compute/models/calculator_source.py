"""Finds the file a module is in without importing it.

It may run inside another environment, as text: so it needs nothing but the standard library.
"""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec

MARK = "atomlake-source "  # begins the line of the answer


def find_source(module: str) -> str:
    """Path of the file of a dotted module; the packages above it are not imported either.

    Raises
    ------
    LookupError
        There is no such module, or it is in no file.
    """
    spec: ModuleSpec | None = None
    names = module.split(".")
    for i in range(len(names)):
        folders = None if spec is None else spec.submodule_search_locations
        if spec is not None and folders is None:
            raise LookupError(f"{'.'.join(names[:i])} is a module and holds no others")
        spec = _find(".".join(names[: i + 1]), folders)
    if spec is None or spec.origin is None or not spec.has_location:
        raise LookupError(f"{module} is in no file")
    return str(spec.origin)


def _find(name: str, folders: list[str] | None) -> ModuleSpec:
    for finder in sys.meta_path:
        find_spec = getattr(finder, "find_spec", None)
        spec = None if find_spec is None else find_spec(name, folders)
        if spec is not None:
            return spec  # type: ignore[no-any-return]
    raise LookupError(f"there is no module {name}")


def main(module: str) -> None:
    """Print the file of a module, or why there is none."""
    try:
        answer = {"file": find_source(module)}
    except LookupError as error:
        answer = {"error": str(error.args[0])}
    sys.stdout.write("\n" + MARK + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[2])
