"""Training runs in the lake: what is new, what was there, and what stands against it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner
from run_samples import counts, write
from wandb_samples import exited, history, log, run, small_log, summary

import lake
from ingest.runs.api import ingest_runs
from lake.cli import root
from lake.errors import InvalidInputError, NotFoundError
from lake.lake import Lake
from lake.run_lookup import find_run


def test_a_file_adds_its_run_and_every_value_and_the_accounts_close(
    lk: Lake, tmp_path: Path
) -> None:
    file = write(tmp_path / "run-abc.wandb", small_log(3))
    report = ingest_runs(lk, "wandb", [file])
    assert report.is_clean
    assert (report.version, report.total("rows"), report.total("frames_read")) == (1, 7, 7)
    rows = lk.sql(
        "SELECT * EXCLUDE (epoch, logged_at) FROM training_history ORDER BY ALL"
    ).fetchall()
    assert rows[:2] == [
        ("demo", "abc", 0, "epoch", 0.0, None),
        ("demo", "abc", 0, "loss", 1.0, None),
    ]
    [stored] = lk.sql(
        "SELECT project, run_id, name, state, summary, source_id = (SELECT source_id FROM sources)"
        " FROM runs"
    ).fetchall()
    assert stored == ("demo", "abc", "loss s1", "finished", '{"loss": 0.3333333333333333}', True)
    assert lk.check() == []


def test_the_same_file_again_adds_nothing(lk: Lake, tmp_path: Path) -> None:
    data = small_log(3)
    file = write(tmp_path / "run-abc.wandb", data)
    ingest_runs(lk, "wandb", [file])
    again = ingest_runs(lk, "wandb", [file])
    assert (again.version, lk.version) == (None, 1)
    assert again.sources[0].is_unchanged
    copy = ingest_runs(lk, "wandb", [write(tmp_path / "b/run-abc.wandb", data), file], strict=True)
    assert copy.version is None
    # The same values from a file that is not the same: all are duplicates.
    longer = ingest_runs(lk, "wandb", [write(tmp_path / "c.wandb", data + log([exited()])[7:])])
    assert (longer.total("rows"), longer.total("duplicates")) == (0, 7)
    assert counts(lk) == (1, 6)
    assert lk.check() == []


def test_a_file_that_grows_adds_what_is_new_and_tells_its_state(lk: Lake, tmp_path: Path) -> None:
    whole = log(
        [run("abc", "x")]
        + [history(i, {"loss": 1 / (i + 1)}) for i in range(6)]
        + [summary({"loss": 1 / 6}), exited()]
    )
    path = tmp_path / "run-abc.wandb"
    seen = []
    for size in (150, 220, 300, len(whole)):
        report = ingest_runs(lk, "wandb", [write(path, whole[:size])])
        assert report.is_clean
        state = lk.sql("SELECT state FROM runs").fetchall()[0][0]
        seen.append((counts(lk)[1], state))
        torn = any("ends within a record" in note for _, note in report.notes)
        assert torn == (size < len(whole))
    assert seen[-1] == (6, "finished")
    assert [state for _, state in seen[:-1]] == ["unknown"] * 3
    assert sorted(seen) == seen
    assert len({n for n, _ in seen}) > 2
    # The old copy again: nothing is new, and the run has still ended.
    ingest_runs(lk, "wandb", [write(tmp_path / "old.wandb", whole[:300])])
    assert lk.sql("SELECT state, COUNT(*) FROM runs GROUP BY ALL").fetchall() == [("finished", 1)]
    assert counts(lk) == (1, 6)
    assert lk.check() == []


def test_another_value_where_one_stands_is_refused(lk: Lake, tmp_path: Path) -> None:
    ingest_runs(
        lk,
        "wandb",
        [
            write(
                tmp_path / "a.wandb", log([run("abc", "x"), history(1, {"k": 1.0, "n": math.nan})])
            )
        ],
    )
    other = log([run("abc", "x"), history(1, {"k": 2.0, "n": math.nan}), history(2, {"k": 3.0})])
    file = write(tmp_path / "b.wandb", other)
    refused = ingest_runs(lk, "wandb", [file], strict=True)
    assert (refused.version, lk.version) == (None, 1)
    report = ingest_runs(lk, "wandb", [file])
    [(uri, reject)] = report.rejects
    assert uri == file
    assert "run abc, step 1, k: 2.0, but 1.0 stands there already" in reject.reason
    assert not report.is_clean
    # The run, NaN and the value at step 2: a duplicate is equal, NaN too.
    assert (report.total("rows"), report.total("duplicates"), report.total("rejects")) == (1, 2, 1)
    rows = lk.sql("SELECT step, key, value FROM training_history WHERE key = 'k' ORDER BY step")
    assert rows.fetchall() == [(1, "k", 1.0), (2, "k", 3.0)]
    assert lk.check() == []
    again = ingest_runs(lk, "wandb", [file])
    assert (again.version, again.is_clean) == (None, False)


def test_two_files_of_one_run_are_one_run(lk: Lake, tmp_path: Path) -> None:
    first = log([run("abc", "x"), history(0, {"k": 1.0}), history(1, {"k": 1.5})])
    resumed = log([run("abc", "x"), history(1, {"k": 1.5}), history(2, {"k": 2.0}), exited()])
    write(tmp_path / "wandb/offline-run-1/run-abc.wandb", first)
    write(tmp_path / "wandb/offline-run-2/run-abc.wandb", resumed)
    write(tmp_path / "wandb/offline-run-2/files/config.yaml", "a: 1")
    report = ingest_runs(lk, "wandb", [str(tmp_path / "wandb")])
    assert (report.total("rows"), report.total("duplicates")) == (5, 1)
    assert counts(lk) == (1, 3)
    assert lk.sql("SELECT state FROM runs").fetchall() == [("finished",)]
    assert lk.check() == []


def test_two_runs_with_one_name_are_kept_apart_and_a_name_is_then_no_answer(
    lk: Lake, tmp_path: Path
) -> None:
    for run_id, project in (("a", "p"), ("b", "p"), ("c", "q")):
        data = log([run(run_id, "same", project), history(0, {"k": 1.0})])
        ingest_runs(lk, "wandb", [write(tmp_path / f"{run_id}.wandb", data)])
    with pytest.raises(InvalidInputError, match=r"3 runs: p/a \(same\), p/b \(same\), q/c"):
        find_run(lk.reader, "same")
    with pytest.raises(InvalidInputError, match="2 runs"):
        find_run(lk.reader, "p/same")
    assert find_run(lk.reader, "q/same").run_id == "c"
    assert find_run(lk.reader, "b").project == "p"
    assert find_run(lk.reader, "p/b").name == "same"
    with pytest.raises(NotFoundError, match="Did you mean same"):
        find_run(lk.reader, "sane")


def test_a_project_comes_from_the_file_or_the_user(lk: Lake, tmp_path: Path) -> None:
    file = write(tmp_path / "a.wandb", log([run("abc", "x", "my project"), history(0, {"k": 1})]))
    with pytest.raises(InvalidInputError, match="Name one with --project"):
        ingest_runs(lk, "wandb", [file])
    none = write(tmp_path / "run-abc.wandb", log([history(0, {"k": 1})]))
    with pytest.raises(InvalidInputError, match="does not say which project"):
        ingest_runs(lk, "wandb", [none])
    ingest_runs(lk, "wandb", [none, file], project="mine", strict=True)
    assert lk.sql("SELECT project, run_id FROM runs").fetchall() == [("mine", "abc")]
    assert lk.version == 1


def test_a_file_that_cannot_be_read_is_refused_beside_others_and_an_error_alone(
    lk: Lake, tmp_path: Path
) -> None:
    bad = write(tmp_path / "bad.wandb", b"no log")
    with pytest.raises(InvalidInputError, match=r"bad\.wandb: the file begins with b'no log'"):
        ingest_runs(lk, "wandb", [bad], project="p")
    report = ingest_runs(lk, "wandb", [bad, write(tmp_path / "a.wandb", small_log())])
    assert [reject.frame for _, reject in report.rejects] == [-1]
    assert counts(lk) == (1, 6)
    assert lk.check() == []


def test_a_writer_between_is_seen(
    lk: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another ingest of the same run commits while this one plans: nothing is there twice."""
    from ingest.runs.landing import RunsLanding

    file = write(tmp_path / "a.wandb", small_log(4))
    plan = RunsLanding._plan
    others: list[object] = []

    def planned_then_overtaken(self: RunsLanding, state: object) -> object:
        changes = plan(self, state)
        if not others:
            others.append(True)
            other = lake.open(lk.storage.uri)
            copy = write(tmp_path / "copy.wandb", small_log(4)[:-3])
            ingest_runs(other, "wandb", [copy])
        return changes

    monkeypatch.setattr(RunsLanding, "_plan", planned_then_overtaken)
    report = ingest_runs(lk, "wandb", [file])
    assert (report.version, counts(lk)) == (2, (1, 8))
    assert report.total("duplicates") == 8
    assert lk.sql("SELECT state FROM runs").fetchall() == [("finished",)]
    assert lk.check() == []


def test_the_command_reports_and_ends_with_1_where_something_was_refused(
    lk: Lake, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.wandb", small_log())
    call = ["--lake", lk.storage.uri, "ingest", "wandb"]
    done = CliRunner().invoke(root, [*call, file])
    assert done.exit_code == 0
    assert "1 run and 6 values read: 7 new" in done.output
    assert "Values: 6 numbers." in done.output
    bad = write(tmp_path / "b.wandb", small_log(name="y")[:-30] + b"\x00" * 30)
    done = CliRunner().invoke(root, ["--json", *call, bad])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["rejects"], told["kinds"]) == (1, {"numbers": 6})
    done = CliRunner().invoke(root, [*call, str(tmp_path / "nothing")])
    assert done.exit_code == 2
    done = CliRunner().invoke(root, [*call, str(tmp_path / "lake")])
    assert "holds no file *.wandb" in done.output
    done = CliRunner().invoke(root, [*call, "--project", "x"])
    assert "expected ENTITY/PROJECT" in done.output
