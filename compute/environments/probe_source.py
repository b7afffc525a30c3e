"""Runs inside another environment, as text: so it needs nothing but the standard library."""

from __future__ import annotations

import ctypes
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import re
import sys
from pathlib import Path

MARK = "atomlake-probe "  # begins the line of the answer; a site's own start-up files may print too


def find_package(name: str) -> importlib.machinery.ModuleSpec | None:
    """Where an import would find a package; None for what is none, like an empty folder."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return spec if spec is not None and spec.origin is not None else None


def package_version(name: str, distribution: str) -> str | None:
    """Version of a package, "unknown" for a fork of another name; None where it is not there."""
    if find_package(name) is None:
        return None
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def assigned(package: str, name: str) -> str | None:
    """A text that ``version.py`` of a package assigns, read without importing it."""
    spec = find_package(package)
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).with_name("version.py")
    text = file.read_text("utf-8") if file.is_file() else ""
    found = re.search(rf"^{name}\b[^=\n]*=\s*['\"]([^'\"]+)['\"]", text, re.MULTILINE)
    return found[1] if found else None


def gpu_names() -> list[str]:
    """Names of the GPUs the driver shows; none where there is no driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return []
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return []
    names = []
    for i in range(count.value):
        device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
        driver.cuDeviceGet(ctypes.byref(device), i)
        driver.cuDeviceGetName(name, len(name), device)
        names.append(name.value.decode(errors="replace"))
    return names


def main(packages: dict[str, str]) -> None:
    """Print what there is; `packages` gives the distribution of every package to look for."""
    cuda = assigned("torch", "cuda")
    found = {
        "python": ".".join(map(str, sys.version_info[:3])),
        "atomlake": assigned("lake", "__version__"),
        "packages": {name: package_version(name, packages[name]) for name in packages},
        "has_pip": find_package("pip") is not None,
        "gpus": gpu_names() if cuda is not None else [],
    }
    sys.stdout.write("\n" + MARK + json.dumps(found) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[2]))
