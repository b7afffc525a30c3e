"""Registering models: their rows, and what is refused."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from lake_samples import append, count, model
from model_samples import CALCULATOR, EMT, add, stand_in

from compute.models import description
from compute.models.catalogue import find_model, list_models
from compute.models.changes import edit_model
from compute.models.description import describe
from compute.models.model import Model
from compute.models.registration import add_model
from compute.models.showing import facts_sentence
from lake.errors import InvalidInputError, JobFailedError, NotFoundError
from lake.lake import Lake

pytestmark = pytest.mark.usefixtures("registry")


def test_a_registered_model_is_read_back_as_it_was(lk: Lake, calculator: Path) -> None:
    added = add(
        lk,
        "lj-1",
        f"{calculator}:make",
        group="pair",
        seed=0,
        parent="lj-0",
        options={"sigma": 2.5},
        run="run-7",
    )
    assert list_models(lk.reader) == [added] == [find_model(lk.reader, "lj-1")]
    assert (added.group, added.seed, added.parent, added.run_id) == ("pair", 0, "lj-0", "run-7")
    assert added.options == {"sigma": 2.5}
    assert added.environment is None
    assert added.elements is None
    assert added.layers == ()
    assert added.config["calculator"].endswith("LennardJones")
    commit = lk.log().row(0, named=True)
    assert commit["operation"] == "model add"
    assert json.loads(commit["inputs"]) == {added.path: added.sha256}
    assert lk.check() == []


def test_the_same_again_adds_nothing(lk: Lake) -> None:
    first = add(lk, seed=1)
    version = lk.version
    assert add(lk, seed=1) == first
    assert lk.version == version
    assert count(lk, "models") == 1


def test_a_name_means_one_file_and_its_options(lk: Lake) -> None:
    add(lk)
    for other in (
        {"path": "ase.calculators.lj:LennardJones"},
        {"options": {"asap_cutoff": True}},
    ):
        with pytest.raises(InvalidInputError, match="emt stands for another model already"):
            add(lk, **other)
    with pytest.raises(InvalidInputError, match="is registered already, as emt"):
        add(lk, "emt-again")
    assert count(lk, "models") == 1
    add(lk, "emt-asap", options={"asap_cutoff": True})
    assert count(lk, "models") == 2


def test_other_attributes_are_named_and_not_taken(lk: Lake) -> None:
    add(lk, seed=1)
    with pytest.raises(InvalidInputError, match="with group none, not 'x', seed 1, not 2"):
        add(lk, seed=2, group="x")
    with pytest.raises(InvalidInputError, match="atomlake model edit emt"):
        add(lk)
    assert find_model(lk.reader, "emt").seed == 1


def test_the_same_file_elsewhere_is_a_move(lk: Lake, calculator: Path, tmp_path: Path) -> None:
    add(lk, "lj", f"{calculator}:make")
    moved = tmp_path / "moved.py"
    moved.write_text(CALCULATOR)
    with pytest.raises(InvalidInputError, match=r"atomlake model move lj .*moved\.py:make"):
        add(lk, "lj", f"{moved}:make")


@pytest.mark.parametrize("name", ["a/b", "", "..", "a b", "é"])
def test_a_name_must_be_safe(lk: Lake, name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be the name of a model"):
        add(lk, name)


def test_unknown_engines_and_environments_list_the_near_ones(lk: Lake) -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean .*mace"):
        add_model(lk, "m", engine="mase", path="x")
    with pytest.raises(NotFoundError, match="atomlake env add nowhere"):
        add(lk, environment="nowhere")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: None, "does not exist"),
        (lambda f: f.mkdir(), "is no file"),
        (lambda f: f.touch(), "is empty"),
        (lambda f: os.mkfifo(f), "is no file"),
        (lambda f: f.symlink_to(f), "does not exist"),
    ],
    ids=["nothing", "folder", "empty", "pipe", "link-to-itself"],
)
def test_a_file_that_cannot_be_read_is_named(lk: Lake, tmp_path: Path, make, message: str) -> None:
    make(tmp_path / "m.model")
    with pytest.raises(InvalidInputError, match=rf"m\.model {message}"):
        add_model(lk, "m", engine="mace", path=str(tmp_path / "m.model"))


def test_a_file_one_may_not_read_is_named(lk: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path("/proc/self/mem")  # refuses root as well
    with pytest.raises(InvalidInputError, match="cannot be read"):
        add_model(lk, "m", engine="mace", path=str(file))


def test_an_engine_that_is_missing_here_is_told_before_the_file_is_loaded(
    lk: Lake, tmp_path: Path
) -> None:
    (tmp_path / "m.model").write_text("weights")
    with pytest.raises(InvalidInputError, match=r"lacks mace-torch"):
        add_model(lk, "m", engine="mace", path=str(tmp_path / "m.model"))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("def other(): pass", NotFoundError, "make"),
        ("import nothing_at_all", InvalidInputError, "nothing_at_all"),
        ("def make(): return 3", InvalidInputError, "no calculator"),
        ("def make(", InvalidInputError, "SyntaxError"),
        ("def make(): raise ValueError('no licence')", JobFailedError, "no licence"),
        ("import sys; sys.exit('no licence')", InvalidInputError, "SystemExit: no licence"),
        ("def make(): raise SystemExit('no licence')", JobFailedError, "no licence"),
        ("import os; os._exit(7)", JobFailedError, "ended with code 7"),
        ("import os; os.kill(os.getpid(), 11)", JobFailedError, "ended by SIGSEGV"),
    ],
)
def test_what_the_engine_says_is_handed_on(
    lk: Lake, calculator: Path, text: str, error: type[Exception], message: str
) -> None:
    calculator.write_text(text)
    with pytest.raises(error, match=message):
        add(lk, "odd", f"{calculator}:make")
    assert lk.version == 0


def test_what_a_calculator_prints_does_no_harm(lk: Lake, calculator: Path) -> None:
    noise = 'import os\nprint("Loading...")\nos.write(1, b"{noise\\n{}\\n")\n'
    calculator.write_text(noise + CALCULATOR)
    assert add(lk, "lj", f"{calculator}:make").config["calculator"].endswith("LennardJones")


def test_a_file_that_changes_while_it_is_loaded_is_refused(lk: Lake, calculator: Path) -> None:
    calculator.write_text(f"{CALCULATOR}\nopen(__file__, 'a').write('# more')\n")
    with pytest.raises(InvalidInputError, match="was registered with"):
        add(lk, "lj", f"{calculator}:make")
    assert lk.version == 0


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("echo nonsense; exit 0", JobFailedError, "it gave no answer"),
        ("exit 0", JobFailedError, "it gave no answer"),
        ("echo broken >&2; exit 1", JobFailedError, "ended with code 1: broken"),
        ("kill -9 $$", JobFailedError, "ended by SIGKILL"),
        (
            'echo \'{"error": "InvalidInputError", "message": "not a model"}\'; exit 1',
            InvalidInputError,
            "not a model",
        ),
        (
            'echo \'{"error": "Other", "message": "it broke"}\'; exit 2',
            JobFailedError,
            "it broke",
        ),
    ],
)
def test_a_description_that_fails_is_told(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        describe(stand_in(tmp_path, text), "ase", EMT, {})


def test_a_description_that_hangs_is_ended(
    lk: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = stand_in(tmp_path, "sleep 60 & sleep 60")
    with pytest.raises(JobFailedError, match=r"gave no answer in 0\.5 s"):
        describe(environment, "ase", EMT, {}, timeout_s=0.5)


def test_facts_are_found_among_noise(lk: Lake, tmp_path: Path) -> None:
    facts = (
        '{"elements": ["Cu", "Ni"], "r_max": 4.5, "dtype": "float32", "n_parameters": 12, '
        '"layers": [8, 16], "config": {"heads": ["a"]}}'
    )
    stand_in(tmp_path, f"echo hello; echo '{facts}'; echo bye; echo '{{ bye'")
    added = add(lk, environment="odd")
    assert find_model(lk.reader, "emt") == added
    assert added.elements == ("Cu", "Ni")
    assert (added.r_max, added.dtype, added.n_parameters) == (4.5, "float32", 12)
    assert added.layers == (8, 16)
    assert added.config == {"heads": ["a"]}
    assert added.environment == "odd"
    elements = lk.sql("SELECT elements, layers FROM models").fetchall()
    assert elements == [(["Cu", "Ni"], [8, 16])]
    assert facts_sentence(added) == (
        "Elements Cu Ni; cutoff 4.5 Å; weights float32; parameters 12; latents per layer 8, 16."
    )


def test_of_adders_at_once_one_wins_and_the_others_see_it(lk: Lake, calculator: Path) -> None:
    calculators = [EMT, EMT, f"{calculator}:make"]
    barrier = threading.Barrier(len(calculators))
    results: list[Model | InvalidInputError] = []
    loaded = description.run_python

    def all_at_once(*arguments: Any, **named: Any) -> Any:
        output = loaded(*arguments, **named)
        barrier.wait()  # every one has found the name free
        return output

    def work(path: str) -> None:
        try:
            results.append(add(Lake(lk.storage), "one", path))
        except InvalidInputError as error:
            results.append(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(description, "run_python", all_at_once)
        threads = [threading.Thread(target=work, args=(path,)) for path in calculators]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == len(calculators)
    there = find_model(lk.reader, "one")
    assert count(lk, "models") == 1
    agreed = [result for result in results if isinstance(result, Model)]
    assert all(model == there for model in agreed)
    refused = [str(result) for result in results if not isinstance(result, Model)]
    assert len(agreed) == (2 if there.path == EMT else 1)
    assert all("stands for another model" in text for text in refused)
    assert lk.check() == []


@pytest.mark.parametrize("path", ["ase.calculators.lj:LennardJones", EMT])
def test_an_option_a_calculator_would_swallow_is_refused(lk: Lake, path: str) -> None:
    with pytest.raises(InvalidInputError, match=r"has no option sigmma; it has .*directory"):
        add(lk, "m", path, options={"sigmma": 2.5})
    assert lk.version == 0


def test_options_a_calculator_names_are_taken(lk: Lake) -> None:
    lj = add(lk, "lj", "ase.calculators.lj:LennardJones", options={"sigma": 2.5, "label": "x"})
    assert lj.config["options"] == {"sigma": 2.5, "label": "x"}


@pytest.mark.parametrize("others", [{}, {"b": "c", "c": "a"}])
def test_a_model_is_no_child_of_itself(lk: Lake, others: dict[str, str]) -> None:
    append(lk, models=[model(name, i, parent=of) for i, (name, of) in enumerate(others.items())])
    parent = "b" if others else "a"
    with pytest.raises(InvalidInputError, match="would be a circle"):
        add(lk, "a", parent=parent)
    add(lk, "a")
    with pytest.raises(InvalidInputError, match="would be a circle"):
        edit_model(lk, "a", {"parent": parent})
    assert find_model(lk.reader, "a").parent is None
    assert edit_model(lk, "a", {"parent": "unknown"}).parent == "unknown"
