"""Identities: equal where the content is, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lake.structures.identity import Identities, identify, label_checks


def parts(k: int = 2, n: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "n_atoms": np.full(k, n),
        "numbers": np.full(k * n, 29, np.int16),
        "positions": rng.normal(size=(k * n, 3)),
        "cell": rng.normal(size=(k, 3, 3)),
        "pbc": np.ones((k, 3), bool),
        "arrays": {
            "q": rng.normal(size=k * n),
            "i": np.arange(k * n),
            "m": np.zeros(k * n, bool),
            "s": np.array(["a"] * (k * n), dtype=object),
        },
        "info": [b'{"a":1}'] * k,
        "config_type": ["bulk"] * k,
    }


def ids(**changes: Any) -> Identities:
    return identify(**(parts() | changes))


def changed(name: str) -> Any:
    value = parts()[name]
    if isinstance(value, list):
        return [None if name == "config_type" else b"{}", value[1]]
    value = value.copy()
    value[0] = ~value[0] if value.dtype == bool else value[0] + 1
    return value


@pytest.mark.parametrize("name", ["numbers", "positions", "cell", "pbc"])
def test_geometry_is_part_of_both(name: str) -> None:
    old, new = ids(), ids(**{name: changed(name)})
    assert (old.geometry_id != new.geometry_id).tolist() == [True, False]
    assert (old.structure_id != new.structure_id).tolist() == [True, False]


@pytest.mark.parametrize("name", ["info", "config_type"])
def test_the_rest_is_part_of_the_structure_alone(name: str) -> None:
    old, new = ids(), ids(**{name: changed(name)})
    assert (old.geometry_id != new.geometry_id).tolist() == [False, False]
    assert (old.structure_id != new.structure_id).tolist() == [True, False]


@pytest.mark.parametrize("name", ["q", "i", "m", "s"])
def test_arrays_count_by_name_kind_width_and_value(name: str) -> None:
    old = ids().structure_id[0]
    arrays = parts()["arrays"]
    values = arrays[name]
    renamed = {("z" if n == name else n): v for n, v in arrays.items()}
    assert ids(arrays=renamed).structure_id[0] != old
    other = values.copy()
    other[0] = "b" if name == "s" else True if name == "m" else other[0] + 1
    assert ids(arrays=arrays | {name: other}).structure_id[0] != old
    assert ids(arrays=arrays | {name: other}).structure_id[1] == ids().structure_id[1]
    assert ids(arrays=dict(reversed(arrays.items()))).structure_id[0] == old


def test_kinds_with_the_same_bytes_differ() -> None:
    zeros = np.zeros(6, np.int64)
    assert (
        ids(arrays={"a": zeros}).structure_id[0]
        != ids(arrays={"a": zeros.view(float)}).structure_id[0]
    )
    text = np.array(["ab", "c"] * 3, dtype=object)
    shifted = np.array(["a", "bc"] * 3, dtype=object)
    assert ids(arrays={"a": text}).structure_id[0] != ids(arrays={"a": shifted}).structure_id[0]


def test_zero_and_minus_zero_differ() -> None:
    zero = np.zeros((6, 3))
    assert ids(positions=zero).geometry_id[0] != ids(positions=-zero).geometry_id[0]


def test_a_frame_hashes_alike_in_any_batch() -> None:
    whole = identify(**parts(k=2))
    values = parts(k=2)
    alone = identify(
        n_atoms=values["n_atoms"][1:],
        numbers=values["numbers"][3:],
        positions=values["positions"][3:],
        cell=values["cell"][1:],
        pbc=values["pbc"][1:],
        arrays={name: array[3:] for name, array in values["arrays"].items()},
        info=values["info"][1:],
        config_type=values["config_type"][1:],
    )
    assert [half[1] for half in whole] == [half[0] for half in alone]


def test_identities_are_stable_for_good() -> None:
    # Lakes hold these numbers: a change here makes every known frame a new one.
    found = identify(
        n_atoms=np.array([1]),
        numbers=np.array([29], np.int16),
        positions=np.zeros((1, 3)),
        cell=np.zeros((1, 3, 3)),
        pbc=np.zeros((1, 3), bool),
        arrays={"q": np.array([1.0])},
        info=[b"{}"],
        config_type=[None],
    )
    assert [int(half[0]) for half in found] == [
        9187886600419260504,
        -1893432175942657827,
        3631624021101918541,
        -6259553780009755034,
    ]


def test_labels_have_a_check() -> None:
    n_atoms, energy = np.array([1, 2]), np.array([1.0, np.nan])
    stress, forces = np.full((2, 6), np.nan), np.arange(9.0).reshape(3, 3)
    base = label_checks(n_atoms=n_atoms, energy=energy, forces=forces, stress=stress)
    assert len(set(base.tolist())) == 2
    moved = forces.copy()
    moved[2, 2] += 1
    for name, value in [("energy", energy + 1), ("forces", moved), ("stress", np.zeros((2, 6)))]:
        changed = {"energy": energy, "forces": forces, "stress": stress} | {name: value}
        assert (label_checks(n_atoms=n_atoms, **changed) != base).any()
    assert (label_checks(n_atoms=n_atoms, energy=energy, forces=None, stress=stress) != base).all()
    other_nan = energy.copy()
    other_nan.view(np.uint64)[1] |= 1
    assert (
        label_checks(n_atoms=n_atoms, energy=other_nan, forces=forces, stress=stress) == base
    ).all()
