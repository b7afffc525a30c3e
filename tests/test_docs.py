"""The examples of README.md and docs/how-to run, and print what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import trained_models
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write

import lake

CHECKOUT = Path(__file__).parent.parent
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs" / "how-to").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"  # in the output of an example
# What a page cannot be followed without.
ENGINES_OF = {"environments": ("mace", "nequip"), "out-of-distribution": ("mace",)}
MEMBERS_OF = {"out-of-distribution": (1, 2, 3, 4)}  # seeds of models of one parent
MODELS = {"mace": "mace-s1.model", "nequip": "nequip-s1.ckpt"}


@dataclass(frozen=True)
class Example:
    """A block of a page: a whole Python block, or one shell command, and what it prints."""

    language: str
    code: str
    prints: str | None


def examples(page: str) -> list[Example]:
    """The runnable examples of a page, in order."""
    blocks = FENCE.findall(page)
    found = []
    for i, (language, text) in enumerate(blocks):
        following = blocks[i + 1] if i + 1 < len(blocks) else ("", "")
        if language == "python":
            found.append(Example(language, text, following[1] if following[0] == "text" else None))
        elif language == "console":
            found.extend(commands(text))
    return found


def commands(block: str) -> list[Example]:
    """The commands of a console block. A command goes on while a quotation is open."""
    found = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = 1
        while "\n".join(lines[:end]).count('"') % 2:
            end += 1
        found.append(Example("console", "\n".join(lines[:end]), "\n".join(lines[end:])))
    return found


def says_what_it_prints(expected: str, printed: str) -> bool:
    """Whether the output is as the page has it, up to what the page leaves out."""

    def tidy(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())

    pattern = re.escape(tidy(expected)).replace(re.escape(ANYTHING), ".*")
    return re.fullmatch(pattern, tidy(printed), re.DOTALL) is not None


def run_command(code: str, environment: dict[str, str]) -> str:
    """Run a command as a shell would; export stays in force for those that follow."""
    if code.startswith("export "):
        name, _, value = code.removeprefix("export ").partition("=")
        environment[name] = value
        return ""
    done = subprocess.run(
        ["bash", "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"$ {code}\n{done.stdout}{done.stderr}"
    return done.stdout


def frames(n: int, first_seed: int = 0) -> list[Atoms]:
    """Rattled copper, every other one with a vacancy, labelled by EMT."""
    made = []
    for seed in range(first_seed, first_seed + n):
        atoms = bulk("Cu", cubic=True) * 2
        atoms.info["config_type"] = "vacancy" if seed % 2 else "bulk"
        del atoms[: seed % 2]
        atoms.rattle(0.05, seed=seed)
        atoms.calc = EMT()
        atoms.get_forces()
        made.append(atoms)
    return made


def write_files(folder: Path) -> None:
    """Write the files the pages speak of."""
    write(folder / "md.extxyz", frames(12))
    write(folder / "more.extxyz", frames(6, first_seed=100))
    for name, energy, force, scale in (
        ("own-names", "E_total", "F", 1.0),
        ("hartree", "energy", "forces", 1 / units.Hartree),
    ):
        renamed = []
        for atoms in frames(3, first_seed=200):
            values = atoms.get_potential_energy() * scale, atoms.get_forces() * scale
            atoms.calc = None
            atoms.info[energy], atoms.arrays[force] = values[0], np.asarray(values[1])
            renamed.append(atoms)
        write_plain(folder / f"{name}.extxyz", renamed, energy, force)
    text = (folder / "md.extxyz").read_text()
    (folder / "broken.extxyz").write_text(text + text.splitlines()[0] + "\ncut off here\n")


def write_plain(file: Path, structures: list[Atoms], energy: str, force: str) -> None:
    """Write frames by hand, because ASE refuses some keys that labels have in real files."""
    with file.open("w") as stream:
        for atoms in structures:
            cell = " ".join(map(repr, atoms.cell.array.ravel().tolist()))
            stream.write(
                f'{len(atoms)}\nLattice="{cell}" Properties=species:S:1:pos:R:3:{force}:R:3 '
                f'{energy}={float(atoms.info[energy])!r} pbc="T T T"\n'
            )
            for symbol, position, vector in zip(
                atoms.symbols, atoms.positions.tolist(), atoms.arrays[force].tolist(), strict=True
            ):
                stream.write(" ".join([symbol, *map(repr, position + vector)]) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files the pages speak of, and the lake lakes/demo made of one of them."""
    made = tmp_path_factory.mktemp("pages")
    write_files(made)
    lk = lake.create(str(made / "lakes" / "demo"))
    lk.ingest("extxyz", [str(made / "md.extxyz")], dataset="cu", label_set="emt")
    return made


def write_engine(engine: str, home: Path) -> None:
    """Put the environment of an engine where the pages have it, and a model; skip without one."""
    environment = trained_models.environment_python(engine).parent.parent
    (home / "envs").mkdir(exist_ok=True)
    (home / "envs" / engine).symlink_to(environment, target_is_directory=True)
    train = {"mace": trained_models.mace_model, "nequip": trained_models.nequip_model}
    shutil.copy(train[engine](), home / MODELS[engine])


def leave_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pages neither see nor change what the user has."""
    for name in ("ATOMLAKE", "ATOMLAKE_ENVIRONMENTS", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.slow if page.stem in ENGINES_OF else ())
        for page in PAGES
    ],
    ids=lambda page: page.stem,
)
def test_a_page_prints_what_it_says(
    page: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    for engine in ENGINES_OF.get(page.stem, ()):
        write_engine(engine, tmp_path)
    for seed in MEMBERS_OF.get(page.stem, ()):
        shutil.copy(trained_models.mace_member(seed), tmp_path / f"w{seed}.model")
    leave_home(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    environment = dict(os.environ)
    names: dict[str, object] = {}
    for example in examples(page.read_text("utf-8")):
        if example.language == "console":
            printed = run_command(example.code, environment)
        else:
            with redirect_stdout(StringIO()) as stream:
                exec(compile(example.code, str(page), "exec"), names)
            printed = stream.getvalue()
        if example.prints is not None:
            assert says_what_it_prints(example.prints, printed), (
                f"{page.name}:\n{example.code}\nprints:\n{printed}\nand not:\n{example.prints}"
            )


@pytest.mark.parametrize("page", sorted(CHECKOUT.rglob("docs/**/*.md")) + PAGES[:1], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_a_block_is_cut_into_commands() -> None:
    block = '$ atomlake sql "SELECT 1\n  AS one"\none\n---\n$ atomlake init\n'
    assert commands(block) == [
        Example("console", 'atomlake sql "SELECT 1\n  AS one"', "one\n---"),
        Example("console", "atomlake init", ""),
    ]


def test_an_ellipsis_stands_for_anything() -> None:
    assert says_what_it_prints("a …\nb", "a 1\n2\nb  \n")
    assert not says_what_it_prints("a\nb", "a\nc")
