"""Finding and changing registered models, and looking at their files again."""

from __future__ import annotations

from pathlib import Path

import pytest
from lake_samples import append, count, model, prediction, structure
from model_samples import CALCULATOR, add

from compute.environments.environment import here
from compute.models.catalogue import find_model, list_models, match_models
from compute.models.changes import edit_model, move_model, remove_model
from compute.models.model_file import checksum, verify_file
from lake.errors import InvalidInputError, NotFoundError
from lake.lake import Lake

pytestmark = pytest.mark.usefixtures("registry")


def test_a_changed_or_missing_file_is_told_with_both_checksums(lk: Lake, calculator: Path) -> None:
    added = add(lk, "lj", f"{calculator}:make")
    verify_file(added)
    verify_file(added, here())
    calculator.write_text(f"{CALCULATOR}# changed\n")
    now = checksum("ase", added.path)
    with pytest.raises(InvalidInputError, match="under a new name") as raised:
        verify_file(added)
    assert now in str(raised.value)
    assert added.sha256 in str(raised.value)
    calculator.unlink()
    with pytest.raises(InvalidInputError, match=r"does not exist.*atomlake model move lj PATH"):
        verify_file(added)


def test_patterns_match_names(lk: Lake) -> None:
    append(lk, models=[model(name, i) for i, name in enumerate(["b-2", "a-1", "a-2"])])
    assert [m.name for m in list_models(lk.reader)] == ["a-1", "a-2", "b-2"]
    assert [m.name for m in match_models(lk.reader, ["*-2", "a-*"])] == ["a-1", "a-2", "b-2"]
    assert [m.name for m in match_models(lk.reader, ["a-[1]"])] == ["a-1"]
    assert match_models(lk.reader, []) == []
    with pytest.raises(NotFoundError, match=r"a-3.*Did you mean a-"):
        match_models(lk.reader, ["a-3"])
    with pytest.raises(NotFoundError, match=r"pattern is called 'c-\*'"):
        match_models(lk.reader, ["a-*", "c-*"])
    with pytest.raises(NotFoundError, match="No model is called"):
        find_model(lk.reader, "a-*")


def test_where_there_are_none_it_says_how_to_make_one(lk: Lake) -> None:
    with pytest.raises(NotFoundError, match="atomlake model add"):
        find_model(lk.reader, "emt")


def test_a_move_needs_the_same_file(lk: Lake, calculator: Path, tmp_path: Path) -> None:
    added = add(lk, "lj", f"{calculator}:make", seed=3)
    moved = tmp_path / "moved.py"
    moved.write_text(f"{CALCULATOR}# other\n")
    with pytest.raises(InvalidInputError, match="was registered with"):
        move_model(lk, "lj", f"{moved}:make")
    moved.write_text(CALCULATOR)
    calculator.unlink()
    after = move_model(lk, "lj", f"{moved}:make")
    assert after.path == f"{moved}:make"
    assert find_model(lk.reader, "lj") == after
    assert (after.model_id, after.seed) == (added.model_id, 3)
    version = lk.version
    move_model(lk, "lj", f"{moved}:make")
    assert lk.version == version


def test_what_was_said_can_be_changed_and_taken_away(lk: Lake) -> None:
    add(lk, seed=1, group="x")
    append(lk, models=[model("other", 9)])
    lk.optimize()  # both in one file
    edit_model(lk, "emt", {"seed": None, "parent": "p"})
    after = find_model(lk.reader, "emt")
    assert (after.seed, after.group, after.parent) == (None, "x", "p")
    assert find_model(lk.reader, "other").path == "m"
    with pytest.raises(InvalidInputError, match="sha256 of a model cannot be changed"):
        edit_model(lk, "emt", {"sha256": "0"})
    with pytest.raises(NotFoundError, match="nowhere"):
        edit_model(lk, "emt", {"environment": "nowhere"})
    assert lk.check() == []


def test_a_model_goes_after_what_it_computed(lk: Lake) -> None:
    append(
        lk,
        structures=[structure(1), structure(2, "ni")],
        models=[model(), model("other", 8)],
        predictions=[prediction(1), prediction(2, "ni")],
    )
    with pytest.raises(InvalidInputError, match=r"in cu, ni\.(.|\n)*drop predictions ni m1"):
        remove_model(lk, "m1")
    lk.drop(dataset="cu", model="m1")
    with pytest.raises(InvalidInputError, match=r"in ni\."):
        remove_model(lk, "m1")
    lk.drop(dataset="ni", model="m1")
    remove_model(lk, "m1")
    assert [m.name for m in list_models(lk.reader)] == ["other"]
    remove_model(lk, "other")
    assert count(lk, "models") == 0
    with pytest.raises(NotFoundError):
        remove_model(lk, "other")


def test_results_that_come_meanwhile_stop_a_removal(
    lk: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(lk, structures=[structure(1)], models=[model()])
    other = Lake(lk.storage)
    commit = lk.commit

    def overtaken(operation, plan, **named):
        def slow_plan(state):
            changes = plan(state)
            if not count(other, "predictions"):
                append(other, predictions=[prediction(1)])
            return changes

        return commit(operation, slow_plan, **named)

    monkeypatch.setattr(lk, "commit", overtaken)
    with pytest.raises(InvalidInputError, match="has predictions"):
        remove_model(lk, "m1")
    assert count(lk, "models") == 1
