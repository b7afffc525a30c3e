"""The devices a job is spread over."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from lake.errors import InvalidInputError

_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")


def check_device(device: str) -> None:
    """Refuse what is no device on any machine.

    Raises
    ------
    InvalidInputError
        It is none of ``auto``, ``cpu``, ``cuda`` and ``cuda:n``.
    """
    if not _DEVICE.fullmatch(device):
        raise InvalidInputError(f"Device {device!r}: expected auto, cpu, cuda or cuda:n.")


def find_devices(device: str) -> list[str]:
    """The devices meant by ``auto``, ``cpu``, ``cuda`` (every GPU there is) or ``cuda:n``.

    ``auto`` stays as it is where there is at most one GPU: the worker then takes what its
    environment can use.

    Raises
    ------
    InvalidInputError
        It is none of these, or there is no GPU.
    """
    check_device(device)
    if device == "cpu" or device.startswith("cuda:"):
        return [device]
    n_gpus = count_gpus()
    if device == "cuda" and not n_gpus:
        raise InvalidInputError(
            "Device cuda: there is no NVIDIA GPU here, or none is visible to this process. "
            "Expected at least one. Give --device cpu, or look at CUDA_VISIBLE_DEVICES."
        )
    if n_gpus > 1 or device == "cuda":
        return [f"cuda:{i}" for i in range(n_gpus)]
    return ["auto"]


def count_gpus() -> int:
    """How many NVIDIA GPUs this process may use, without loading anything that uses them."""
    if not Path("/proc/driver/nvidia").exists() and not Path("/dev/nvidiactl").exists():
        return 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
