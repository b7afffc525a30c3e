"""Runs of a wandb server, through wandb's own API: whole histories, and where to go on."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from wandb_server import StoredRun, WandbServer

from ingest.runs.wandb_online.exported_history import read_exports
from lake.lake import Lake

Answer = tuple[int, dict[str, object], str]  # exit code, what was told as JSON, what was said
Ask = Callable[..., Answer]


@pytest.fixture
def server() -> Iterator[WandbServer]:
    pytest.importorskip("wandb", reason="the extra 'wandb' is not installed")
    server = WandbServer()
    yield server
    server.close()


@pytest.fixture
def ask(server: WandbServer, lk: Lake, tmp_path: Path) -> Ask:
    """The command in a process of its own, because wandb keeps threads and settings in one."""

    def run(project: str = "team/losses", *more: str, **environment: str) -> Answer:
        done = subprocess.run(
            [
                sys.executable, "-c", "from lake.cli import main; main()",
                "--lake", lk.storage.uri, "--json", "ingest", "wandb", "--project", project, *more,
            ],
            env={
                **os.environ,
                "WANDB_BASE_URL": server.url,
                "WANDB_API_KEY": "0" * 40,
                "WANDB_CACHE_DIR": str(tmp_path / "cache"),
                "WANDB_ERROR_REPORTING": "false",
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    return run


def frame(first: int, n: int) -> pl.DataFrame:
    steps = range(first, first + n)
    return pl.DataFrame(
        {
            "_step": pl.Series(steps, dtype=pl.Int64),
            "_timestamp": [1.7e9 + i for i in steps],
            "loss": [1 / (i + 1) if i % 2 else None for i in steps],
            "epoch": [i // 2 for i in steps],
        }
    )


def rows(lk: Lake, run_id: str) -> list[tuple[object, ...]]:
    query = (
        "SELECT step, key, value FROM training_history WHERE run_id = $run_id ORDER BY step, key"
    )
    return lk.sql(query, {"run_id": run_id}).fetchall()


@pytest.mark.slow
def test_a_project_comes_whole_and_goes_on_where_it_was(
    server: WandbServer, lk: Lake, ask: Ask
) -> None:
    server.runs = [
        StoredRun("a", "same", [frame(0, 700), frame(700, 50)], config={"lr": 0.1}),
        StoredRun("b", "same", [frame(0, 3)], state="crashed", summary={"loss": {"min": 0.5}}),
        StoredRun("c", "live", [frame(0, 2)], state="running", is_exported=False),
    ]
    code, told, _ = ask()
    assert (code, server.asked) == (0, ["a", "b", "c"])
    # More than the 500 rows a sampled history has; every value, and no NULL as one.
    assert len(rows(lk, "a")) == 750 + 375
    assert rows(lk, "b") == [(0, "epoch", 0), (1, "epoch", 0), (1, "loss", 0.5), (2, "epoch", 1)]
    assert rows(lk, "c") == []
    assert "has not exported its whole history" in str(told["notes"])
    stored = lk.sql("SELECT run_id, name, state, config, summary FROM runs ORDER BY ALL").fetchall()
    assert stored == [
        ("a", "same", "finished", '{"lr": 0.1}', "{}"),
        ("b", "same", "crashed", "{}", '{"loss": {"min": 0.5}}'),
        ("c", "live", "running", "{}", "{}"),
    ]
    assert lk.check() == []

    server.asked.clear()
    server.runs[2].frames.append(frame(2, 2))
    server.runs[2].is_exported, server.runs[2].state = True, "finished"
    code, told, _ = ask()
    assert (code, server.asked, told["left_alone"]) == (0, ["c"], 2)
    assert len(rows(lk, "c")) == 6
    assert lk.sql("SELECT state FROM runs WHERE run_id = 'c'").fetchall() == [("finished",)]

    server.asked.clear()
    version = lk.version
    assert ask()[1]["left_alone"] == 3
    assert (server.asked, lk.version) == ([], version)

    server.runs[1].frames.append(frame(3, 1))  # resumed after a crash
    server.runs[1].heartbeat = "2025-02-01T00:00:00Z"
    code, told, _ = ask()
    assert (code, server.asked, told["rows"]) == (0, ["b"], 3)
    assert lk.check() == []


def test_what_was_read_before_an_error_is_committed(
    server: WandbServer, lk: Lake, ask: Ask
) -> None:
    server.runs = [
        StoredRun("a", "a", [frame(0, 3)]),
        StoredRun("b", "b", [frame(0, 3)], is_broken=True),
    ]
    code, _, said = ask()
    assert code == 1
    assert "run b" in said
    assert "Traceback" not in said
    assert len(rows(lk, "a")) == 4
    server.runs[1].is_broken = False
    server.asked.clear()
    assert ask()[0] == 0
    assert server.asked == ["b"]


@pytest.mark.parametrize(
    ("project", "environment", "said"),
    [
        ("team/none", {}, "team/none"),
        ("losses", {}, "expected ENTITY/PROJECT"),
        ("team/los ses", {}, "cannot be the name of a project"),
        # The client tries a server that does not answer again for a minute.
        pytest.param(
            "team/losses",
            {"WANDB_BASE_URL": "http://127.0.0.1:9"},
            "wandb",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_cannot_be_asked_is_an_error(
    lk: Lake, ask: Ask, project: str, environment: dict[str, str], said: str
) -> None:
    code, _, text = ask(project, **environment)
    assert code in (1, 2)
    assert said in text
    assert "Traceback" not in text
    assert lk.version == 0


def test_values_of_every_type_of_an_export_are_read(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "_step": [3, 1],
            "_timestamp": [2.0, 1.0],
            "whole": [2**53 + 1, 4],
            "number": [math.nan, None],
            "text": ["NaN", "hello"],
            "yes": [True, None],
            "nest": [{"_type": None, "a": 1}, {"_type": "image-file", "a": None}],
            "list": [[1.0, 2.0], None],
        }
    )
    table.write_parquet(tmp_path / "a.parquet")
    history, kinds, rejects = read_exports([tmp_path / "a.parquet"])
    assert not rejects
    assert history.select("step", "key", "other").rows() == [
        (1, "whole", None),
        (1, "text", '"hello"'),
        (1, "nest", '{"_type": "image-file"}'),
        (3, "whole", str(2**53 + 1)),
        (3, "number", None),
        (3, "text", '"NaN"'),
        (3, "yes", "true"),
        (3, "nest.a", None),
        (3, "list", "[1.0, 2.0]"),
    ]
    assert dict(kinds) == {
        "numbers": 4, "numbers written as text": 1, "texts": 1, "true and false": 1,
        "media (image-file)": 1, "lists": 1,
    }  # fmt: skip
