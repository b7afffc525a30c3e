"""Any structure format ASE reads, one file at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ingest.ase_formats.frames import AseFrame, AseFrameError, batches_of, frame_of
from ingest.frames.file_block import FileBlock, whole_file
from ingest.frames.frames import FrameBatch, Reject
from lake.errors import NotFoundError, StorageError

if TYPE_CHECKING:
    from ase import Atoms

GUESS = "ase"
ASE_CIF = "ase-cif"

# A reader of ASE raises whatever its parsing happened to run into.
_READER_ERRORS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    StopIteration,
    SyntaxError,
    TypeError,
    ValueError,
)


class AseImporter:
    """Reads a format through ASE.

    Labels of a calculator become the info keys and per-atom arrays of their names, fixed atoms the
    array ``move_mask``, as ASE writes them to extended XYZ.

    Parameters
    ----------
    file_format
        A name of ASE's, e.g. ``cif``; ``ase`` has ASE guess for every file.

    Raises
    ------
    NotFoundError
        ASE reads no format of that name.
    """

    def __init__(self, file_format: str = GUESS) -> None:
        from ase.io.formats import ioformats

        readable = [name for name, known in ioformats.items() if known.can_read]
        if file_format != GUESS and file_format not in readable:
            raise NotFoundError.among("format that ASE reads", file_format, readable)
        self._format = file_format

    parses_in_threads = False

    @property
    def format(self) -> str:
        """Name of the format, as `ingest.importers.find_importer` knows it."""
        # Another reader has cif for its own: a file one refused can be read by the other.
        return ASE_CIF if self._format == "cif" else self._format

    def blocks(self, stream: BinaryIO, name: str = "") -> Iterator[FileBlock]:
        """The whole file as one block, unless it is empty."""
        return whole_file(stream, name)

    def read(self, block: FileBlock) -> tuple[list[FrameBatch], list[Reject]]:
        """Read every structure of the file.

        A fault of the file ends it: what ASE read before goes in, and the rest is one reject.

        Raises
        ------
        ValueError
            The block travelled without its data.
        StorageError
            The temporary folder has no room for the copy that ASE reads.
        """
        if block.data is None:
            raise ValueError("the block has no data; give it some by with_data")
        with _copy_of(block.name, block.data) as path:
            return self._read(block, block.data, path)

    def _read(
        self, block: FileBlock, data: bytes, path: Path
    ) -> tuple[list[FrameBatch], list[Reject]]:
        frames: list[AseFrame] = []
        rejects: list[Reject] = []
        structures = self._structures(path)
        reader_errors = (*_READER_ERRORS, *_unknown_file_errors())
        for index in range(block.length + 1):  # a structure takes a byte at least
            try:
                atoms = next(structures, None)
                if atoms is None:
                    break
                frames.append(frame_of(atoms, index))
            except AseFrameError as error:
                rejects.append(Reject(index, 0, str(error)))
            except reader_errors as error:
                rejects.append(Reject(index, 0, self._reason(error), _excerpt(data)))
                break
        if not frames and not rejects:
            reason = f"ASE finds no structure in it, read as {self._format}"
            rejects.append(Reject(0, 0, reason, _excerpt(data)))
        return batches_of(frames), rejects

    def _structures(self, path: Path) -> Iterator[Atoms]:
        from ase.io import iread

        known = None if self._format == GUESS else self._format
        yield from iread(path, index=":", format=known, do_not_split_by_at_sign=True)

    def _reason(self, error: BaseException) -> str:
        kind = "by guessing its format" if self._format == GUESS else f"as {self._format}"
        return f"ASE cannot read it {kind}: {type(error).__name__}: {error}"


@contextmanager
def _copy_of(name: str, data: bytes) -> Iterator[Path]:
    """A file of that name: some readers want a path, and guessing wants the name."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="atomlake-"))
            path = Path(folder, name or "structure")
            path.write_bytes(data)
        except OSError as error:
            raise StorageError(
                f"{name}: no copy for ASE can be written: {error}. Expected a temporary folder "
                "with room. Make some, or name another by TMPDIR, and run the same command again."
            ) from error
        yield path


def _unknown_file_errors() -> tuple[type[Exception], ...]:
    from ase.io.formats import UnknownFileTypeError

    return (UnknownFileTypeError,)


def _excerpt(data: bytes) -> str:
    return data[:400].decode("utf-8", "replace")
