"""Cutting a JSON list into its items."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.predictions.json_block import json_blocks


def items(text: bytes, block_bytes: int) -> list[bytes]:
    """The items of a list, cut in blocks that travel without their text."""
    found = []
    for block in json_blocks(io.BytesIO(text), block_bytes):
        assert not block.rejects
        there = block.without_data().with_data(text[block.offset :][: block.length])
        assert there.first_frame == len(found)
        for i in range(len(there.start)):
            found.append(there.item(i))
            before = text[: block.offset + int(there.start[i])]
            assert there.line[i] == before.count(b"\n") + 1
    return found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.lists(JSON, min_size=1, max_size=6),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.integers(3, 40),
)
def test_a_list_is_cut_into_its_items(
    values: list[Any], indent: int | None, is_ascii: bool, block_bytes: int
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=is_ascii)
    found = [json.loads(item) for item in items(text.encode("utf-8", "surrogatepass"), block_bytes)]
    assert json.dumps(found) == json.dumps(values)


@pytest.mark.parametrize("block_bytes", [3, 64, 1 << 20])
@pytest.mark.parametrize("n_bytes", [1, 2, 40, 61, 62, 63, 100])
def test_a_list_that_breaks_off_gives_what_is_whole(block_bytes: int, n_bytes: int) -> None:
    text = b"[" + b",\n ".join([b'{"a": "]}", "b": [1, {"c": 2}], "d": "\\""}'] * 3) + b"]"
    blocks = list(json_blocks(io.BytesIO(text[:n_bytes]), block_bytes))
    rejects = [reject for block in blocks for reject in block.rejects]
    n_whole = sum(len(block.start) for block in blocks)
    assert n_whole == sum(n_bytes >= 1 + 45 * (i + 1) - 1 for i in range(3) if n_bytes > 1)
    assert [reject.frame for reject in rejects] == [n_whole]
    assert "ends within this frame" in rejects[0].reason
