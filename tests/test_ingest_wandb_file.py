"""`.wandb` files: what wandb wrote is what is read."""

from __future__ import annotations

import json
import math
import struct
import zlib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wandb_reading import read, values
from wandb_samples import (
    BLOCK,
    HEADER,
    history,
    item,
    log,
    message,
    number,
    summary,
    write_offline_run,
)

SCRIPT = """
for i in range(40):
    run.log({"loss": 1 / (i + 1), "epoch": i // 4, "nest": {"x": {"y": i}}, "dotted.key": 3,
             "nan": math.nan, "inf": math.inf, "ninf": -math.inf, "text": "hello", "yes": True,
             "list": [1, 2], "float32": np.float32(0.1), "large": 2**53 + 1, "none": None,
             "written": "1e-3", "written_nan": "NaN", "é/ü": i})
    run.log({"histogram": wandb.Histogram([1, 2, i]), "late": i})
run.log({"image": wandb.Image(np.zeros((4, 4, 3), dtype=np.uint8)),
         "table": wandb.Table(columns=["a"], data=[[1]])})
run.log({"only": 1}, step=500)
run.summary["best"] = 0.5
run.config["after"] = 2
run.finish()
"""
SETTINGS = {
    "project": "demo",
    "name": "loss/seed 1",
    "config": {"a": {"b": 1, "c": [1, 2]}, "lr": 1e-3},
    "group": "g1",
    "tags": ["t"],
}


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("wandb", reason="the extra 'wandb' is not installed")
    return write_offline_run(tmp_path_factory.mktemp("offline"), SCRIPT, **SETTINGS)


def protobuf_rows(data: bytes) -> dict[tuple[int, str], str]:
    """Every item of every history row, read by wandb's own protobuf, at step and joined key."""
    from wandb.proto import wandb_internal_pb2

    position, payload, found = len(HEADER), b"", {}
    while position + 7 <= len(data):
        left = BLOCK - position % BLOCK
        if left < 7:
            position += left
            continue
        crc, length, kind = struct.unpack("<IHB", data[position : position + 7])
        body = data[position + 7 : position + 7 + length]
        assert zlib.crc32(bytes([kind]) + body) == crc
        payload = body if kind in (1, 2) else payload + body
        position += 7 + length
        if kind in (1, 4):
            record = wandb_internal_pb2.Record.FromString(payload)
            for each in record.history.item:
                path = ".".join(each.nested_key) or each.key
                found[record.history.step.num, path] = each.value_json
    return found


def test_a_file_of_wandb_is_read_as_its_own_protobuf_reads_it(offline: Path) -> None:
    data = offline.read_bytes()
    expected = protobuf_rows(data)
    plain = {
        place: json.loads(text)
        for place, text in expected.items()
        if place[1] not in ("_step", "_timestamp")
        and not place[1].startswith(("histogram.", "image.", "table."))
    }
    file = read(data)
    found = {(step, key): (value, other) for step, key, value, other in values(file)}
    media = {"histogram", "image", "table"}
    assert {place for place in found if place[1] not in media} == set(plain)
    for place, decoded in plain.items():
        value, other = found[place]
        if isinstance(decoded, float) and math.isnan(decoded):
            assert value is not None
            assert math.isnan(value)
        elif isinstance(decoded, int | float) and not isinstance(decoded, bool):
            assert (value, place) == (float(decoded), place)
        else:
            assert json.loads(other) == decoded
    assert not file.rejects
    assert sum(file.kinds.values()) == len(file.runs[0].history)


def test_every_kind_of_value_is_kept_and_counted(offline: Path) -> None:
    file = read(offline.read_bytes())
    assert dict(file.kinds) == {
        # loss, epoch, nest, dotted, nan, inf, ninf, float32, large, é/ü; late; only; _runtime
        "numbers": 40 * 10 + 40 + 1 + 82,
        "texts": 40,
        "true and false": 40,
        "lists": 40,
        "nulls": 40,
        "numbers written as text": 80,
        "media (histogram)": 40,
        "media (image-file)": 1,
        "media (table-file)": 1,
    }
    at = {key: (value, other) for step, key, value, other in values(file) if step == 6}
    assert at["nest.x.y"] == (3.0, None)
    assert at["written"] == (0.001, '"1e-3"')
    assert math.isnan(at["written_nan"][0])
    assert at["inf"] == (math.inf, None)
    assert at["ninf"] == (-math.inf, None)
    assert at["yes"] == (1.0, "true")
    assert at["text"] == (None, '"hello"')
    assert at["none"] == (None, "null")
    histogram = next(o for s, k, _, o in values(file) if (s, k) == (7, "histogram"))
    assert json.loads(histogram)["_type"] == "histogram"
    assert sum(json.loads(histogram)["values"]) == 3


def test_what_is_said_of_the_run_is_kept(offline: Path) -> None:
    run = read(offline.read_bytes()).runs[0]
    assert (run.name, run.project, run.state) == ("loss/seed 1", "demo", "finished")
    assert run.run_id == offline.stem.removeprefix("run-")
    assert run.config == {"a": {"b": 1, "c": [1, 2]}, "lr": 0.001, "after": 2}
    assert run.summary["best"] == 0.5
    assert run.summary["loss"] == 1 / 40
    assert run.summary["nest"] == {"x": {"y": 39}}
    assert (run.attributes["group"], run.attributes["tags"]) == ("g1", ["t"])
    assert run.created_at is not None
    moments = run.history["logged_at"]
    assert moments.null_count() == 0
    assert (moments.min() - run.created_at).total_seconds() < 60
    epochs = run.history.filter(pl.col("key") == "loss").select("step", "epoch").rows()
    assert epochs == [(2 * i, float(i // 4)) for i in range(40)]


@pytest.mark.parametrize(
    ("end", "state"), [("run.finish(exit_code=3)", "failed"), ("os._exit(3)", "unknown")]
)
def test_the_state_says_how_a_run_ended_if_it_did(tmp_path: Path, end: str, state: str) -> None:
    pytest.importorskip("wandb", reason="the extra 'wandb' is not installed")
    path = write_offline_run(tmp_path, f"run.log({{'a': 1}})\n{end}", project="demo")
    file = read(path.read_bytes())
    assert file.runs[0].state == state
    assert ("the run has not ended" in str(file.notes)) == (state == "unknown")


def test_typed_values_of_newer_files_are_read() -> None:
    typed = {
        "none": number(3, 1),
        "boolean": number(4, 1),
        "integer": number(5, 5),  # sint64: -3
        "number": varint_tag(6, 1) + struct.pack("<d", 0.1),
        "text": message(7, b"so"),
        "json": message(8, b"[1]"),
    }
    items = b"".join(message(1, message(1, k.encode()) + v) for k, v in typed.items())
    file = read(log([message(2, items + message(2, number(1, 7)))]))
    assert values(file) == [
        (7, "none", None, "null"),
        (7, "boolean", 1.0, "true"),
        (7, "integer", -3.0, None),
        (7, "number", 0.1, None),
        (7, "text", None, '"so"'),
        (7, "json", None, "[1]"),
    ]


def varint_tag(field: int, kind: int) -> bytes:
    return bytes([field << 3 | kind])


def test_numbers_a_double_does_not_hold_are_kept_beside_it() -> None:
    row = {"exact": 2**53, "large": 2**53 + 1, "huge": 10**400, "deep": {"a": {}, "b": [math.nan]}}
    assert values(read(log([history(1, row)]))) == [
        (1, "exact", 2.0**53, None),
        (1, "large", 2.0**53, str(2**53 + 1)),
        (1, "huge", None, str(10**400)),
        (1, "deep.a", None, "{}"),
        (1, "deep.b", None, '["NaN"]'),
    ]
    assert values(read(log([history(1, {"a": b"1e999"})]))) == [(1, "a", None, '"1e999"')]


def test_records_longer_than_a_block_are_joined() -> None:
    long = {f"key{i}": i for i in range(20_000)}
    rows = [history(0, {"a": 1}), history(1, long), history(2, {"a": 3})]
    file = read(log(rows))
    assert len(file.runs[0].history) == 20_002
    found = {key: value for step, key, value, _ in values(file) if step == 1}
    assert found == {key: float(value) for key, value in long.items()}


def test_a_summary_holds_the_last_of_every_key_but_what_was_removed() -> None:
    removal = message(3, message(2, message(1, b"gone")))
    late = message(5, item("lr", 1) + message(2, message(2, b"x") + message(2, b"y")))
    records = [
        summary({"a": 1, "gone": 1}), removal, summary({"a": 2}),
        message(5, item(["x", "y", "z"], 1) + item(["x", "w"], 2)), late,
    ]  # fmt: skip
    found = read(log(records)).runs[0]
    assert found.summary == {"a": 2}
    assert found.config == {"x": {"w": 2}, "lr": 1}


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
            | st.lists(st.integers()),
            max_size=6,
        ),
        max_size=8,
    )
)
def test_what_was_written_is_what_is_read(rows: list[dict[str, object]]) -> None:
    own = ("_step", "_timestamp")
    rows = [{key: v for key, v in row.items() if key not in own} for row in rows]
    found = values(read(log([history(i, row) for i, row in enumerate(rows)])))
    expected = [(i, key, value) for i, row in enumerate(rows) for key, value in row.items()]
    assert [(step, key) for step, key, _, _ in found] == [(i, key) for i, key, _ in expected]
    for (_, _, value, other), (_, _, written) in zip(found, expected, strict=True):
        if isinstance(written, float):
            assert struct.pack("<d", value) == struct.pack("<d", written) or math.isnan(written)
        elif isinstance(written, int) and not isinstance(written, bool):
            assert value == written or json.loads(other) == written
        else:
            assert json.loads(other) == written
