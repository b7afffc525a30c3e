"""What a model is: its checksum, its options, the place of its file."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from model_samples import EMT, add

from compute.environments.environment import find_interpreter, here
from compute.models import calculator_source
from compute.models.calculator_source import find_source
from compute.models.model import canonical_json, identity
from compute.models.model_file import absolute_path, checksum
from lake.errors import InvalidInputError
from lake.lake import Lake

pytestmark = pytest.mark.usefixtures("registry")


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


def test_no_path_is_stored_with_a_way_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "real").mkdir(parents=True)
    (tmp_path / "link").symlink_to("deep/real")
    monkeypatch.chdir(tmp_path / "deep")
    assert absolute_path("mace", "../a.model") == f"{tmp_path}/a.model"
    assert absolute_path("mace", "real/../../b/a.model") == f"{tmp_path}/b/a.model"
    assert absolute_path("ase", "../c.py:make") == f"{tmp_path}/c.py:make"
    # Behind a link the way back leads elsewhere; links after it stay.
    assert absolute_path("mace", "../link/../a.model") == f"{tmp_path}/deep/a.model"
    assert absolute_path("mace", "../link/a.model") == f"{tmp_path}/link/a.model"
    assert find_interpreter(f"{Path(sys.prefix) / 'lib' / '..'}") == f"{sys.prefix}/bin/python"
