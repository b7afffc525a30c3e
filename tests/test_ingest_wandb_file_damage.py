"""`.wandb` files that are cut, damaged or not known: what is read is right, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wandb_reading import read, values
from wandb_samples import (
    HEADER,
    chunk,
    exited,
    history,
    item,
    log,
    message,
    number,
    run,
    small_log,
)

from lake.errors import InvalidInputError


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (message(99, b""), "unknown kind 99"),
        (number(1, 4), "holds nothing"),
        (message(2, message(1, message(1, b"a") + message(33, b"1"))), "unknown field 33"),
        (message(2, message(1, message(16, b"1"))), "has no key"),
        (message(2, message(1, message(1, b"a"))), "has no value"),
        (message(2, message(7, b"")), "unknown field 7"),
        (message(2, item(["a"], 1) + message(2, number(2, 1))), "a step has the unknown field 2"),
        (message(2, item(["a"], 1)), "it has no step"),
        (message(2, item(["a"], b"{") + message(2, b"")), "is not JSON"),
        (message(2, item(["a"], b"\xff") + message(2, b"")), "is not JSON"),
        (message(2, item(["_step"], 2) + message(2, number(1, 3))), "differ"),
        (message(2, item(["_step"], 0.5) + message(2, b"")), "no whole number"),
        (message(17, message(15, b"")), "unknown field 15"),
        (b"\x12\x7f", "runs past its end"),
    ],
)
def test_what_is_not_known_is_refused_and_the_rest_is_read(record: bytes, reason: str) -> None:
    file = read(log([history(0, {"loss": 1.5}), record, history(1, {"loss": 2.5})]))
    [reject] = file.rejects
    assert reason in reject.reason
    assert values(file) == [(0, "loss", 1.5, None), (1, "loss", 2.5, None)]


def test_a_file_cut_anywhere_keeps_what_came_before() -> None:
    rows = [history(i, {"loss": i / 7, "n": i}) for i in range(12)]
    data = log([run("abc", "x"), *rows, exited()])
    ends = [len(log([run("abc", "x"), *rows[:n]])) for n in range(13)]
    for size in range(len(HEADER), len(data) + 1):
        file = read(data[:size])
        n_whole = sum(end <= size for end in ends[1:])
        assert len(file.runs[0].history) == 2 * n_whole
        assert not file.rejects
        is_torn = size not in (len(HEADER), *ends, len(data))
        assert any("ends within a record" in note for note in file.notes) == is_torn


def test_a_broken_record_is_refused_and_the_others_read() -> None:
    rows = [history(i, {"loss": i / 7}) for i in range(6000)]
    data = bytearray(log(rows))
    data[len(log(rows[:3000])) + 12] ^= 0xFF
    file = read(bytes(data))
    assert len(file.rejects) == 1
    assert "checksum" in file.rejects[0].reason
    assert file.runs[0].history["step"].to_list() == [i for i in range(6000) if i != 3000]


def test_pieces_of_different_records_are_never_joined() -> None:
    first, last = history(0, {"a": 1}), history(1, {"b": 2})
    data = HEADER + chunk(2, first[:5]) + chunk(1, last) + chunk(4, first[5:])
    file = read(data)
    assert values(file) == [(1, "b", 2.0, None)]
    assert "lacks its end" in file.rejects[0].reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "begins with"),
        (b"version https://git-lfs", "begins with"),
        (b":W&B\xe1\xbe\x01", "version 1"),
    ],
)
def test_what_is_no_wandb_file_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        read(data)


SMALL = small_log(40)
TRUE = {(i, "loss"): 1 / (i + 1) for i in range(40)} | {
    (i, "epoch"): float(i // 2) for i in range(40)
}


@settings(max_examples=400, deadline=None)
@given(
    cut=st.integers(0, len(SMALL)),
    flips=st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(1, 255)), max_size=4),
)
def test_no_damage_makes_an_error_of_ours_or_a_wrong_number(
    cut: int, flips: list[tuple[int, int]]
) -> None:
    data = bytearray(SMALL)
    for position, change in flips:
        data[position] ^= change
    try:
        file = read(bytes(data[:cut]))
    except InvalidInputError:
        return
    for step, key, value, other in values(file):
        assert TRUE[step, key] == value
        assert other is None
    lost = len(TRUE) - len(file.runs[0].history)
    if flips and lost and cut == len(SMALL):
        assert file.rejects or "ends within" in str(file.notes)


@settings(max_examples=400, deadline=None)
@given(record=st.binary(max_size=80))
def test_any_bytes_with_the_right_checksum_are_read_or_refused(record: bytes) -> None:
    file = read(log([history(0, {"a": 1}), record]))
    assert values(file)[0] == (0, "a", 1.0, None)
