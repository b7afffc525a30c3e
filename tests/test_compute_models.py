"""Models: their identity, their rows, what is refused, and the commands."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lake_samples import append, count, failed_prediction, latents, model, prediction, structure
from trained_models import environment_python, mace_model, nequip_model

import lake
from compute.environments.environment import Environment, here
from compute.environments.registry import add_environment
from compute.models import calculator_source, description
from compute.models.calculator_source import find_source
from compute.models.catalogue import find_model, list_models, match_models
from compute.models.changes import edit_model, move_model, remove_model
from compute.models.description import describe
from compute.models.model import Model, canonical_json, identity
from compute.models.model_file import absolute_path, checksum, verify_file
from compute.models.registration import add_model
from compute.models.showing import facts_sentence
from lake.cli import root
from lake.errors import InvalidInputError, JobFailedError, NotFoundError
from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store

EMT = "ase.calculators.emt:EMT"
CALCULATOR = """
from ase.calculators.lj import LennardJones
def make(sigma=1.0):
    return LennardJones(sigma=sigma)
"""


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATOMLAKE_ENVIRONMENTS", str(tmp_path / "environments.json"))


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    return lake.create(str(tmp_path / "lake"))


@pytest.fixture
def calculator(tmp_path: Path) -> Path:
    file = tmp_path / "calculator.py"
    file.write_text(CALCULATOR)
    return file


def add(lk: Lake, name: str = "emt", path: str = EMT, **more: Any) -> Model:
    return add_model(lk, name, engine="ase", path=path, **more)


def run(lk: Lake, *words: str) -> Result:
    return CliRunner().invoke(root, words, env={"ATOMLAKE": lk.storage.uri})


def stand_in(folder: Path, text: str) -> Environment:
    """This interpreter, but for the module that describes models."""
    file = folder / "python"
    file.write_text(
        f'#!/bin/sh\ncase "$*" in *compute.engines.describe*) {text};; '
        f'*) exec {sys.executable} "$@";; esac\n'
    )
    file.chmod(0o755)
    return add_environment("odd", str(file)).environment


# Identity


def test_the_identity_is_the_start_of_the_checksum() -> None:
    sha256 = hashlib.sha256(b"weights").hexdigest()
    unsigned = int(sha256[:16], 16)
    assert identity(sha256, {}) == (unsigned - 2**64 if unsigned >= 2**63 else unsigned)
    assert identity("8" + "0" * 63, {}) == -(2**63)


def test_options_are_part_of_the_identity_in_whatever_order() -> None:
    sha256 = hashlib.sha256(b"weights").hexdigest()
    one, other = {"a": 1, "b": [True, None]}, {"b": [True, None], "a": 1}
    text = f'{sha256}\n{{"a":1,"b":[true,null]}}'
    expected = hashlib.sha256(text.encode()).digest()[:8]
    assert identity(sha256, one) == identity(sha256, other)
    assert identity(sha256, one).to_bytes(8, "big", signed=True) == expected
    assert identity(sha256, {"a": 2}) != identity(sha256, one) != identity(sha256, {})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"x"])
def test_options_json_cannot_hold_are_refused(lk: Lake, value: object) -> None:
    with pytest.raises(InvalidInputError, match="JSON"):
        canonical_json({"a": value})
    with pytest.raises(InvalidInputError, match="JSON"):
        add(lk, options={"a": value})
    assert lk.version == 0


def test_a_file_has_its_own_checksum(tmp_path: Path) -> None:
    file = tmp_path / "a.model"
    file.write_bytes(b"weights" * 1_000_000)
    assert checksum("mace", str(file)) == hashlib.sha256(b"weights" * 1_000_000).hexdigest()


def test_a_calculator_has_that_of_its_source_and_name(calculator: Path) -> None:
    import ase.calculators.emt as module

    def expected(source: bytes, name: str) -> str:
        return hashlib.sha256(f"{hashlib.sha256(source).hexdigest()}\n{name}".encode()).hexdigest()

    of_emt = expected(Path(module.__file__).read_bytes(), EMT)
    assert checksum("ase", EMT) == checksum("ase", EMT, here()) == of_emt
    of_file = expected(calculator.read_bytes(), "make")
    assert checksum("ase", f"{calculator}:make") == of_file
    assert checksum("ase", f"{calculator}:other") != of_file


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("no_such_package.x", "there is no module no_such_package"),
        ("ase.no_such_module", r"there is no module ase\.no_such_module"),
        ("ase.calculators.emt.deeper", "is a module and holds no others"),
        ("sys", "is in no file"),
    ],
)
def test_a_module_that_is_in_no_file_is_told(module: str, message: str) -> None:
    for environment in (None, here()):
        with pytest.raises(InvalidInputError, match=message):
            checksum("ase", f"{module}:Name", environment)


def test_a_source_is_found_without_importing_it(tmp_path: Path) -> None:
    package = tmp_path / "exploding"
    package.mkdir()
    for name in ("__init__.py", "inner.py"):
        (package / name).write_text("raise SystemExit('imported')")
    sys.path.insert(0, str(tmp_path))
    try:
        assert find_source("exploding.inner") == str(package / "inner.py")
    finally:
        sys.path.remove(str(tmp_path))
    assert "exploding" not in sys.modules


def test_the_search_prints_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    calculator_source.main("ase.calculators.emt")
    calculator_source.main("no_such_package")
    found, missing = capsys.readouterr().out.split("\n\n")
    assert found.strip().endswith('emt.py"}')
    assert "error" in missing


@pytest.mark.parametrize("path", ["emt", "a b:EMT", ":EMT", "ase.emt:", "/x/emt:EMT", "x.py:1", ""])
def test_a_calculator_has_two_forms(path: str) -> None:
    with pytest.raises(InvalidInputError, match=r"file\.py:function"):
        absolute_path("ase", path)


def test_paths_are_absolute_and_links_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    assert absolute_path("mace", "link/a.model") == str(tmp_path / "link" / "a.model")
    assert absolute_path("ase", "link/c.py:make") == f"{tmp_path}/link/c.py:make"
    assert absolute_path("ase", EMT) == EMT


# Registering


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


# Before loading


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


# Finding


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


# Changing


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


# The commands


def test_add_list_show_and_remove(lk: Lake) -> None:
    result = run(lk, "model", "add", "emt", "--engine", "ase", "--path", EMT, "--parent", "p")
    assert result.exit_code == 0, result.output
    assert result.stdout == "Registered emt. Elements any; latents per layer none.\n"
    assert "The parent p is not registered" in result.stderr
    again = run(lk, "model", "add", "emt", "--engine", "ase", "--path", EMT, "--parent", "p")
    assert "emt is registered already." in again.stdout
    assert "emt" in run(lk, "model", "list").stdout
    shown = json.loads(run(lk, "model", "show", "emt", "--json").stdout)
    assert (shown["model"], shown["parent"], shown["datasets"]) == ("emt", "p", [])
    assert shown["sha256"] == checksum("ase", EMT)
    assert shown["sha256"] in run(lk, "model", "show", "emt").stdout
    assert run(lk, "model", "remove", "emt").exit_code == 0
    nothing = run(lk, "model", "list")
    assert (nothing.stdout, nothing.exit_code) == ("", 0)
    assert run(lk, "model", "list", "--json").stdout.strip() == "[]"


def test_options_are_json_or_text(lk: Lake, calculator: Path) -> None:
    calculator.write_text(
        "def make(**options):\n    from ase.calculators.emt import EMT\n    return EMT()\n"
    )
    words = ["a=1", "b=true", "c=text", 'd="1"', "e=[1, 2]", "f=", "g=a=b"]
    result = run(
        lk,
        *("model", "add", "m", "--engine", "ase", "--path", f"{calculator}:make", "--json"),
        *(word for each in words for word in ("--option", each)),
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["options"] == {
        "a": 1,
        "b": True,
        "c": "text",
        "d": "1",
        "e": [1, 2],
        "f": "",
        "g": "a=b",
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--option", "x"), "expected KEY=VALUE"),
        (("--option", "a=1", "--option", "a=2"), "twice"),
        (("--option", "a=NaN"), "JSON"),
        (("--seed", "one"), "not a valid integer"),
        (("--seed", str(2**63)), "at most 64 bits"),
        (("--env", "nowhere"), "atomlake env add"),
    ],
)
def test_wrong_words_are_refused(lk: Lake, words: tuple[str, ...], message: str) -> None:
    result = run(lk, "model", "add", "emt", "--engine", "ase", "--path", EMT, *words)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_show_counts_what_was_computed(lk: Lake) -> None:
    with open_latent_store(lk.storage, "job") as writer:
        pointer = writer.append(1, latents(2))
    append(
        lk,
        structures=[structure(1), structure(2), structure(3), structure(4, "ni")],
        models=[model()],
        predictions=[prediction(1), failed_prediction(2)],
        embeddings=[{"dataset": "cu", "model": "m1", "model_id": 7, **pointer.as_row()}],
    )
    datasets = json.loads(run(lk, "model", "show", "m1", "--json").stdout)["datasets"]
    assert datasets == [
        {"dataset": "cu", "structures": 3, "done": 1, "failed": 1, "missing": 1, "latents": 1}
    ]
    assert "missing" in run(lk, "model", "show", "m1").stdout


def test_edit_and_move_from_the_command_line(lk: Lake, calculator: Path, tmp_path: Path) -> None:
    add(lk, "lj", f"{calculator}:make")
    assert run(lk, "model", "edit", "lj", "--seed", "0", "--group", "g").exit_code == 0
    assert (find_model(lk.reader, "lj").seed, find_model(lk.reader, "lj").group) == (0, "g")
    assert run(lk, "model", "edit", "lj", "--seed", "").exit_code == 0
    assert find_model(lk.reader, "lj").seed is None
    assert run(lk, "model", "edit", "lj", "--seed", "x").exit_code == 2
    assert run(lk, "model", "edit", "lj", "--seed", str(2**63)).exit_code == 2
    assert run(lk, "model", "edit", "lj").exit_code == 2
    assert run(lk, "model", "edit", "lj", "--env", "here").exit_code == 0
    moved = calculator.rename(tmp_path / "moved.py")
    assert run(lk, "model", "move", "lj", f"{moved}:make").exit_code == 0
    assert run(lk, "model", "move", "lj", str(moved)).exit_code == 2
    assert find_model(lk.reader, "lj").path == f"{moved}:make"


def test_the_help_says_that_loading_runs_code() -> None:
    for words in (("model", "--help"), ("model", "add", "--help")):
        text = " ".join(CliRunner().invoke(root, words).output.split())
        assert "runs code from it" in text
        assert "only files you trust" in text


def test_errors_have_their_exit_codes(lk: Lake, calculator: Path) -> None:
    calculator.write_text("def make(): raise ValueError('no licence')")
    words = ("model", "add", "m", "--engine", "ase", "--path")
    failed = run(lk, *words, f"{calculator}:make")
    assert (failed.exit_code, "no licence" in failed.output) == (1, True)
    assert run(lk, *words, f"{calculator}:other").exit_code == 2
    assert run(lk, "model", "show", "nobody").exit_code == 2


# Trained models


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
    assert len(added.layers) == 2
    assert added.n_parameters is not None
    assert added.n_parameters > 0
    cut_short = tmp_path / "cut.model"
    cut_short.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InvalidInputError, match=r"cut\.model"):
        add_model(lk, "cut", engine="mace", path=str(cut_short), environment="mace")


@pytest.mark.slow
def test_a_nequip_model_says_what_it_is(lk: Lake) -> None:
    add_environment("nequip", str(environment_python("nequip")))
    words = {"path": str(nequip_model()), "environment": "nequip"}
    with pytest.raises(InvalidInputError, match=r"NequIP|nequip"):
        add_model(lk, "wrong", engine="allegro", **words)
    added = add_model(lk, "nequip-1", engine="nequip", **words)
    assert added == find_model(lk.reader, "nequip-1")
    assert added.elements is not None
    assert set(added.elements) == {"Ni", "Cu"}
    assert added.r_max is not None
    assert added.layers
