"""`.wandb` files for tests: some that wandb itself writes, and some made byte by byte."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HEADER = b":W&B\xe1\xbe\x00"
BLOCK = 32 << 10


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def item(path: str | Sequence[str], value: Any) -> bytes:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    keys = (
        message(1, path.encode())
        if isinstance(path, str)
        else b"".join(message(2, each.encode()) for each in path)
    )
    return message(1, keys + message(16, text))


def history(step: int, values: Mapping[str, Any], *, num: int = 1) -> bytes:
    """A Record with a history row."""
    items = b"".join(item([key], value) for key, value in values.items())
    said = number(1, step) if step else b""
    return number(1, num) + message(2, items + item(["_step"], step) + message(2, said))


def summary(values: Mapping[str, Any]) -> bytes:
    return number(1, 1) + message(3, b"".join(item([k], v) for k, v in values.items()))


def run(run_id: str, name: str, project: str = "demo") -> bytes:
    texts = {1: run_id, 3: project, 8: name}
    return message(17, b"".join(message(n, text.encode()) for n, text in texts.items()))


def exited(code: int = 0) -> bytes:
    return message(18, number(1, code) if code else b"")


def chunk(kind: int, data: bytes) -> bytes:
    body = bytes([kind]) + data
    return struct.pack("<IH", zlib.crc32(body), len(data)) + body


def log(records: Sequence[bytes]) -> bytes:
    """A `.wandb` file, as LevelDB cuts records into blocks."""
    data = HEADER
    for record in records:
        left, is_first = record, True
        while is_first or left:
            room = BLOCK - len(data) % BLOCK
            if room < 7:
                data += bytes(room)
                continue
            part, left = left[: room - 7], left[room - 7 :]
            kind = (1 if not left else 2) if is_first else (4 if not left else 3)
            data += chunk(kind, part)
            is_first = False
    return data


def small_log(n_rows: int = 3, run_id: str = "abc", name: str = "loss s1") -> bytes:
    rows = [history(i, {"loss": 1 / (i + 1), "epoch": i // 2}) for i in range(n_rows)]
    return log([run(run_id, name), *rows, summary({"loss": 1 / n_rows}), exited()])


def write_offline_run(folder: Path, script: str, **settings: Any) -> Path:
    """Run a script with the real wandb, offline, as `run`; the `.wandb` file it leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    code = (
        "import json, math, os, wandb\nimport numpy as np\n"
        f"settings = json.loads({json.dumps(json.dumps(settings))})\n"
        f"run = wandb.init(dir={str(folder)!r}, **settings)\n{script}\n"
    )
    environment = {
        **os.environ,
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode in (0, 3), done.stderr
    [file] = folder.glob("wandb/offline-run-*/*.wandb")
    return file
