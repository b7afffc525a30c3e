"""What trained networks say of themselves when they are registered."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from trained_models import environment_python, mace_model, nequip_model

from compute.environments.registry import add_environment
from compute.models.catalogue import find_model
from compute.models.registration import add_model
from lake.errors import InvalidInputError
from lake.lake import Lake

pytestmark = pytest.mark.usefixtures("registry")


@pytest.mark.slow
def test_a_mace_model_says_what_it_is(lk: Lake, tmp_path: Path) -> None:
    add_environment("mace", str(environment_python("mace")))
    path = mace_model()
    added = add_model(lk, "mace-1", engine="mace", path=str(path), seed=1, environment="mace")
    assert added == find_model(lk.reader, "mace-1")
    assert added.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert added.environment == "mace"
    assert added.elements == ("Ni", "Cu")
    assert added.dtype == "float64"
    assert (added.r_max, added.layers) == (4.0, (6, 6))
    cut_short = tmp_path / "cut.model"
    cut_short.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InvalidInputError, match=r"cut\.model"):
        add_model(lk, "cut", engine="mace", path=str(cut_short), environment="mace")


@pytest.mark.slow
def test_a_nequip_model_says_what_it_is(lk: Lake) -> None:
    add_environment("nequip", str(environment_python("nequip")))
    words = {"path": str(nequip_model()), "environment": "nequip"}
    with pytest.raises(InvalidInputError, match="holds a model of nequip, but the engine allegro"):
        add_model(lk, "wrong", engine="allegro", **words)
    added = add_model(lk, "nequip-1", engine="nequip", **words)
    assert added == find_model(lk.reader, "nequip-1")
    assert added.elements is not None
    assert set(added.elements) == {"Ni", "Cu"}
    assert (added.r_max, added.layers) == (4.0, (6, 6))
