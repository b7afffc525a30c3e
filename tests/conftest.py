"""What many tests start from. A fixture is used where a test names it, or `usefixtures` does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from headless_browser import BrowserMissingError, Page, open_page
from model_samples import CALCULATOR

import lake
from lake.lake import Lake


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    """An empty lake."""
    return lake.create(str(tmp_path / "lake"))


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where names of environments are kept, for this test alone; nothing is there yet."""
    file = tmp_path / "settings" / "environments.json"
    monkeypatch.setenv("ATOMLAKE_ENVIRONMENTS", str(file))
    return file


@pytest.fixture
def calculator(tmp_path: Path) -> Path:
    """A file with a calculator of ASE, to be registered as a model."""
    file = tmp_path / "calculator.py"
    file.write_text(CALCULATOR)
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    """A page of a browser without a window; without a browser the test is skipped."""
    try:
        with open_page() as page:
            yield page
    except BrowserMissingError as error:
        pytest.skip(str(error))
