"""Cutting a stream into frames: every way in which a count can be wrong."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from extxyz_samples import ATOMS, HEAD, frame

from ingest.extxyz.scan import Block, scan_blocks

GOOD = frame()
WATER = "3\nwater\nO 0 0 0\nH 0 0 1\nH 0 1 0\n"


def scan(text: str | bytes, block_bytes: int = 1 << 20) -> list[Block]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(scan_blocks(io.BytesIO(data), block_bytes))


def good(blocks: list[Block]) -> list[int]:
    return [int(index) for block in blocks for index in block.frame]


def rejects(blocks: list[Block]) -> list[tuple[int, int, str]]:
    return [(r.frame, r.line, r.reason) for block in blocks for r in block.rejects]


@pytest.mark.parametrize(
    ("text", "expected_good", "expected_reason"),
    [
        (
            GOOD + frame(n=3) + GOOD * 2,
            [0, 2, 3],
            "says 3 atoms, but the next frame begins after 2",
        ),
        (
            GOOD + frame(n=4) + GOOD * 2,
            [0, 2, 3],
            "says 4 atoms, but the next frame begins after 2",
        ),
        (
            GOOD + frame(n=6) + GOOD * 2,
            [0, 2, 3],
            "says 6 atoms, but the next frame begins after 2",
        ),
        (GOOD + frame(n=1) + GOOD, [0, 2], "says 1 atoms, but the next frame begins after 2"),
        (GOOD + frame(n=10**9) + GOOD, [0, 2], "says 1000000000 atoms, but the next frame"),
        (GOOD + frame(n=10**12) + GOOD, [0, 2], "begins with '1000000000000'"),
        (GOOD + frame(n=10**40) + GOOD, [0, 2], "begins with '1000"),
        (GOOD + frame(n="2.0") + GOOD, [0, 2], "begins with '2.0'"),
        (GOOD + frame(n="-2") + GOOD, [0, 2], "begins with '-2'"),
        (GOOD + frame(n="2 atoms") + GOOD, [0, 2], "begins with '2 atoms'"),
        (GOOD + "0\n" + HEAD + "\n" + GOOD, [0, 2], "says 0 atoms, where 1 or more"),
        ("hello\nworld\n" + GOOD, [1], "begins with 'hello'"),
        (GOOD + "5\n" + GOOD, [0, 2], "says 5 atoms, but the next frame begins after 0"),
        (GOOD + "hello\nworld\n" + GOOD, [1], "says 2 atoms, but the next frame begins after 4"),
        (WATER + WATER.replace("3\n", "4\n", 1) + WATER, [0, 2], "says 4 atoms, but the next"),
        (WATER + WATER.replace("3\n", "2\n", 1) + WATER, [0, 2], "says 2 atoms, but the next"),
        (GOOD + "2\n" + HEAD + "\nCu 0.0 0.0 0.0\n", [0], "the file ends after 1 atom lines"),
        (GOOD + "2\n" + HEAD, [0], "the file ends after 0 atom lines"),
        (GOOD + "2", [0], "the file ends after 0 atom lines"),
        (bytes(range(256)) * 10, [], "begins with"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", [], "git lfs pull"),
    ],
)
def test_one_wrong_count_costs_one_frame(
    text: str | bytes, expected_good: list[int], expected_reason: str
) -> None:
    blocks = scan(text)
    assert good(blocks) == expected_good
    ((_, _, reason),) = rejects(blocks)
    assert expected_reason in reason
    assert sum(block.n_frames for block in blocks) == len(expected_good) + 1


@pytest.mark.parametrize(
    "text",
    [
        GOOD * 3,
        (GOOD * 3)[:-1],
        "\n\n" + GOOD + "\n  \n" + GOOD + GOOD + "\n\n  ",
        (GOOD * 3).replace("\n", "\r\n"),
        "\ufeff" + GOOD * 3,
        WATER * 3,
        "2\n\n" + ATOMS + GOOD * 2,
        f" 2 \n{HEAD}\n{ATOMS}+2\n{HEAD}\n{ATOMS}" + GOOD,
    ],
)
def test_harmless_variants_are_three_good_frames(text: str) -> None:
    blocks = scan(text)
    assert good(blocks) == [0, 1, 2]
    assert not rejects(blocks)


@pytest.mark.parametrize("text", ["", "\n \n\n", "\ufeff"])
def test_nothing_is_no_frame(text: str) -> None:
    assert scan(text) == []


@pytest.mark.parametrize("block_bytes", [1, 16, 100, 1000])
def test_block_size_does_not_change_what_is_found(block_bytes: int) -> None:
    text = "\ufeffjunk\n" + GOOD + frame(n=3) + WATER * 3 + frame(n=10**9) + GOOD + frame(n=1)
    text += frame(atoms="Cu 0.25 0.0 0.0\nNi 1.5555 2 3\n") + "64\nabc" + "\n" * 500
    whole, parts = scan(text), scan(text, block_bytes)
    assert good(parts) == good(whole)
    assert rejects(parts) == rejects(whole)
    excerpts = [[r.excerpt for block in blocks for r in block.rejects] for blocks in (whole, parts)]
    assert excerpts[0] == excerpts[1]


def test_places_are_where_the_text_is() -> None:
    text = ("\ufeff" + GOOD + "\n" + WATER).encode()
    for block_bytes in (4, 1 << 20):
        blocks = scan(text, block_bytes)
        lines = []
        for block in blocks:
            data = text[block.offset : block.offset + block.length]
            places = zip(block.start, block.comment, block.body, block.end, strict=True)
            for start, comment, body, end in places:
                lines.append((data[start:comment], data[comment:body][:5], data[body:end][-6:]))
        assert lines == [(b"2\n", b"Prope", b"5 1.5\n"), (b"3\n", b"water", b"0 1 0\n")]
        assert [int(line) for block in blocks for line in block.line] == [1, 6]


def test_a_frame_larger_than_a_block_is_read_whole() -> None:
    atoms = "Cu 0.0 0.0 0.0\n" * 20_000
    (block,) = [b for b in scan(frame(atoms=atoms), 1000) if b.n_frames]
    assert block.n_atoms.tolist() == [20_000]


def test_a_block_travels_without_its_data() -> None:
    (block,) = scan(GOOD)
    there = pickle.loads(pickle.dumps(block.without_data()))
    assert there.data is None
    assert len(pickle.dumps(there)) < 2000
    back = there.with_data(GOOD.encode())
    assert np.array_equal(back.end, block.end)
    assert back.length == len(GOOD)
