"""The commands of models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from lake_samples import append, failed_prediction, latents, model, prediction, structure
from model_samples import EMT, add, run

from compute.models.catalogue import find_model
from compute.models.model_file import checksum
from lake.cli import root
from lake.lake import Lake
from lake.latents.latent_reader import open_latent_store

pytestmark = pytest.mark.usefixtures("registry")


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
    counts = {"structures": 3, "done": 1, "failed": 1, "missing": 1, "latents": 1}
    types = {"dtype": None, "latents_dtype": "float32"}  # calculators do not say theirs
    assert datasets == [{"dataset": "cu", **counts, **types}]
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
    said = run(lk, "model", "edit", "lj", "--run", "lj-1", "--parent", "lj-0").stderr
    assert "The parent lj-0 is not registered" in said
    assert "The run lj-1 is not in the lake" in said
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
