"""An answer as files in a folder: tables, the SQL, and what stands in its manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING, Protocol

from lake.commands.formats import write_result
from lake.commands.json_text import json_text
from lake.errors import InvalidInputError, StorageError
from lake.version import __version__

if TYPE_CHECKING:
    import polars as pl

MANIFEST = "manifest.json"
STATEMENTS = "statements.sql"
DRAFT = ".unfinished-"  # followed by what makes it one of its kind


class Answer(Protocol):
    """What every answer says of itself."""

    @property
    def question(self) -> str:
        """One sentence: what was asked."""

    @property
    def lake_path(self) -> str:
        """The lake that was asked."""

    @property
    def lake_version(self) -> int:
        """Its version."""

    @property
    def statements(self) -> Mapping[str, str]:
        """The exact SQL, by name, in the order in which it ran."""


def check_drawing(*, figures: bool, report: bool) -> None:
    """Refuse figures and a report where there is nothing to make them with, before the work.

    Raises
    ------
    InvalidInputError
        The extra ``plots`` is not installed.
    """
    if figures and find_spec("matplotlib") is None:
        raise InvalidInputError(
            "matplotlib is not installed. Expected it, to draw figures. Install it with: "
            "pip install 'atomlake[plots]', or leave figures out with --no-figures."
        )
    if report and find_spec("jinja2") is None:
        raise InvalidInputError(
            "Jinja2 is not installed. Expected it, to write a report. Install it with: "
            "pip install 'atomlake[plots]', or leave out --report."
        )


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written, before the work is done that would be lost.

    Where there is none, none is left: what is asked may be refused yet.

    Raises
    ------
    StorageError
        There can be no such folder, or no files in it.
    """
    with _refusals(folder):
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
        with suppress(OSError):  # somebody else has put something there
            for each in missing:
                each.rmdir()


@contextmanager
def open_folder(folder: Path) -> Iterator[Path]:
    """A folder to write an answer into; what is written comes into `folder` when all of it is.

    The files of an earlier answer are taken out then, so that they are not taken for this one's;
    those that were changed since stay, unless this answer has a file of their name. What breaks off
    leaves the earlier answer as it was.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    with _refusals(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=DRAFT, dir=folder, ignore_cleanup_errors=True) as draft:
            yield Path(draft)
            _replace(_earlier_files(folder), Path(draft), folder)


def files_in(folder: Path, draft: Path, files: Sequence[Path]) -> list[Path]:
    """Where files that were written into a draft are once it is done."""
    return [folder / file.relative_to(draft) for file in files]


def _replace(earlier: Sequence[Path], draft: Path, folder: Path) -> None:
    """Put the files of a draft in the place of those of an earlier answer, the manifest last."""
    (folder / MANIFEST).unlink(missing_ok=True)
    for file in earlier:
        file.unlink()
    written = [file for file in draft.rglob("*") if file.is_file()]
    for file in sorted(written, key=lambda each: (each.name == MANIFEST, each)):
        target = folder / file.relative_to(draft)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)


@contextmanager
def _refusals(folder: Path) -> Iterator[None]:
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(
            f"{error.filename or folder}: {error.strerror or error}. Expected a folder you may "
            "write. Choose another."
        ) from error


def _earlier_files(folder: Path) -> list[Path]:
    """What the manifest in a folder names, if it is there as it was written."""
    try:
        facts = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
        named = [(folder / fact["path"], fact["sha256"]) for fact in facts]
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # none, or nobody's we know
        return []
    below = folder.resolve()
    return [
        file
        for file, checksum in named
        if file.is_file() and below in file.resolve().parents and _checksum(file) == checksum
    ]


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write_tables(frames: Mapping[str, pl.DataFrame], folder: Path, file_format: str) -> list[Path]:
    """Write frames, each as a file of its name; the files."""
    files = []
    for name, frame in frames.items():
        file = folder / f"{name}.{file_format}"
        write_result(frame, file_format, file)
        files.append(file)
    return files


def write_statements(answer: Answer, folder: Path) -> Path:
    """Write all SQL of an answer, in the order in which it ran; the file."""
    head = (
        f"-- {answer.question}\n"
        f"-- {answer.lake_path} at version {answer.lake_version}, "
        f"asked by atomlake {__version__}.\n"
        "-- Each statement reads tables of the lake, and statements before it by their names, or\n"
        "-- what stands above it.\n"
    )
    parts = [f"-- {name}\n{text.strip()};\n" for name, text in answer.statements.items()]
    file = folder / STATEMENTS
    file.write_text("\n".join([head, *parts]), "utf-8")
    return file


def write_manifest(
    answer: Answer, facts: Mapping[str, object], folder: Path, files: Sequence[Path]
) -> Path:
    """Write what an answer was made from and what came of it, as JSON; the file.

    Parameters
    ----------
    facts
        What this kind of answer says, beside the question, the lake and its version.
    files
        What was written into the folder; their checksums stand in the manifest.
    """
    lake = {"path": answer.lake_path, "version": answer.lake_version}
    head = {"question": answer.question, "atomlake": __version__, "lake": lake}
    written = [{"path": str(each.relative_to(folder)), "sha256": _checksum(each)} for each in files]
    file = folder / MANIFEST
    file.write_text(f"{json_text({**head, **facts, 'files': written})}\n", "utf-8")
    return file
