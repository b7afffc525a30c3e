"""History rows per second out of a `.wandb` file that the real wandb wrote."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lake
from benchmarks.contenders import Contender, Figures, NotInstalledError, compare, stopwatch
from benchmarks.result import TIME, Goal, Quantity, Result
from benchmarks.setting import Setting

SPEED_ROWS = Quantity("speed", "history rows/s", is_better_larger=True)
LEAST_ROWS_PER_S = 50_000
_HEADER_BYTES, _BLOCK = 7, 32 << 10
# What NequIP logs at a step, and what wandb adds: eight values a row.
SCRIPT = """
import random, sys, wandb
run = wandb.init(project="bench", dir=sys.argv[1])
for i in range(int(sys.argv[2])):
    run.log({"trainer/global_step": i, "epoch": i // 100, **{
        f"train_loss_step/{name}": random.random()
        for name in ("weighted_sum", "forces_mse", "per_atom_energy_mse")}})
run.finish()
"""


def measure(setting: Setting) -> list[Result]:
    """Seconds from a file to columns, and from a file to a commit."""
    n_rows = setting.size(50_000, 50)
    with setting.scratch() as folder:
        try:
            file = write_run(folder, n_rows)
        except NotInstalledError as error:
            return [Result("wandb-history", "atomlake, read", None, note=str(error))]
        goal = {TIME: Goal(most=n_rows / LEAST_ROWS_PER_S)}
        contenders = [
            Contender("atomlake, read", reading(file, n_rows), goal),
            Contender("atomlake, ingest", ingesting(file, n_rows)),
            Contender("wandb's protobuf, item by item", walking(file, n_rows)),
        ]
        return compare("wandb-history", contenders, setting)


def write_run(folder: Path, n_rows: int) -> Path:
    """The `.wandb` file of a run of `n_rows` steps, written offline."""
    environment = {**os.environ, "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), str(n_rows)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "No module named 'wandb'" in done.stderr:
        raise NotInstalledError("not installed: pip install 'atomlake[wandb]'")
    done.check_returncode()
    [file] = folder.glob("wandb/offline-run-*/*.wandb")
    return file


def reading(file: Path, n_rows: int) -> Callable[[Path], Figures]:
    """From the file to columns."""
    from ingest.runs.logged_run import LogFile
    from ingest.runs.wandb_file.reader import read_wandb_file

    def measure_once(_: Path) -> Figures:
        with stopwatch() as watch:
            read = read_wandb_file(LogFile(str(file), file.read_bytes()))
        assert read.runs[0].history["step"].n_unique() == n_rows
        return {TIME: watch.seconds, SPEED_ROWS: n_rows / watch.seconds}

    return measure_once


def ingesting(file: Path, n_rows: int) -> Callable[[Path], Figures]:
    """From the file to a commit."""
    from ingest.runs.api import ingest_runs

    def measure_once(folder: Path) -> Figures:
        lk = lake.create(str(folder / "lake"))
        with stopwatch() as watch:
            report = ingest_runs(lk, "wandb", [str(file)], strict=True)
        assert report.version == 1
        return {TIME: watch.seconds, SPEED_ROWS: n_rows / watch.seconds}

    return measure_once


def walking(file: Path, n_rows: int) -> Callable[[Path], Figures]:
    """The plain way: every record through wandb's protobuf, every value a Python float."""

    def measure_once(_: Path) -> Figures:
        import json

        from wandb.proto.wandb_internal_pb2 import Record

        rows = []
        with stopwatch() as watch:
            for payload in _payloads(file.read_bytes()):
                record = Record.FromString(payload)
                if record.HasField("history"):
                    items = record.history.item
                    rows.append(
                        {".".join(i.nested_key) or i.key: json.loads(i.value_json) for i in items}
                    )
        assert len(rows) == n_rows
        return {TIME: watch.seconds, SPEED_ROWS: n_rows / watch.seconds}

    return measure_once


def _payloads(data: bytes) -> list[bytes]:
    """The records of an undamaged file, without checksums."""
    found, parts, position = [], b"", _HEADER_BYTES
    while position + 7 <= len(data):
        left = _BLOCK - position % _BLOCK
        if left < 7:
            position += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        body = data[position + 7 : position + 7 + length]
        parts = body if kind in (1, 2) else parts + body
        if kind in (1, 4):
            found.append(parts)
        position += 7 + length
    return found
