"""What an ingest says of what it refused, and of what it was told wrongly."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.api import ingest
from lake.cli import root
from lake.errors import InvalidInputError
from lake.lake import Lake

Write = Callable[[str, str | bytes], str]


def frame(x: float, keys: str = "", *, force: float | None = None) -> str:
    """Text of one frame of one atom at x."""
    columns = "species:S:1:pos:R:3" + (":forces:R:3" if force is not None else "")
    vector = f" {force} 0.0 0.0" if force is not None else ""
    return f"1\nProperties={columns} {keys}\nCu {x} 0.0 0.0{vector}\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    return write


def test_a_mapped_key_that_no_frame_has_is_refused(lk: Lake, write: Write) -> None:
    paths = [write("a.xyz", frame(1, "my_energy=1 kind=a")), write("b.xyz", frame(2))]
    with pytest.raises(InvalidInputError) as caught:
        ingest(lk, "extxyz", paths, dataset="cu", key_map={"energy": "my_enrgy"})
    for words in ("--map energy=my_enrgy", "Did you mean my_energy?", "Nothing was committed"):
        assert words in str(caught.value)
    with pytest.raises(InvalidInputError, match="There are: kind, my_energy"):
        ingest(lk, "extxyz", paths, dataset="cu", key_map={"stress": "zzz"})
    with pytest.raises(InvalidInputError, match="--map forces=my_energy"):
        ingest(lk, "extxyz", paths, dataset="cu", key_map={"forces": "my_energy"})
    assert lk.version == 0
    assert not list(Path(lk.storage.uri).glob("structures/**/*.parquet"))


def test_a_frame_may_lack_a_mapped_key_that_another_has(lk: Lake, write: Write) -> None:
    paths = [write("a.xyz", frame(1, "my=1")), write("b.xyz", frame(2))]
    report = ingest(lk, "extxyz", paths, dataset="cu", key_map={"energy": "my"})
    assert (report.is_clean, report.total("rows")) == (True, 2)
    more = [*paths, write("c.xyz", frame(3))]
    assert ingest(lk, "extxyz", more, dataset="cu", key_map={"energy": "my"}).total("rows") == 1


def test_frames_refused_before_their_keys_are_known_tell_nothing(lk: Lake, write: Write) -> None:
    path = write("a.xyz", frame(1, 'my="x'))
    report = ingest(lk, "extxyz", [path], dataset="cu", key_map={"energy": "my"})
    assert "never closed" in report.rejects[0][1].reason


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        (("forces=F", "forces=vel"), "--map gives forces twice: F and vel"),
        (("energy=e0", "stress=e0"), "the key e0 to energy and to stress"),
        (("energy=nosuchkey",), "--map energy=nosuchkey"),
    ],
)
def test_a_wrong_map_ends_the_command(lk: Lake, write: Write, maps: list[str], words: str) -> None:
    path = write("a.xyz", frame(1, "e0=1"))
    options = [word for text in maps for word in ("--map", text)]
    command = ["--lake", lk.storage.uri, "ingest", "extxyz", path, "--dataset", "cu", *options]
    result = CliRunner().invoke(root, command)
    assert result.exit_code == 2
    assert words in result.output


def test_a_frame_read_with_another_map_is_the_same_frame(lk: Lake, write: Write) -> None:
    path = write("a.xyz", frame(1, "energy=-1 E=-2"))
    ingest(lk, "extxyz", [path], dataset="cu", key_map={"energy": "energy"})
    again = ingest(lk, "extxyz", [path], dataset="cu", key_map={"energy": "E"})
    assert "other labels" in again.rejects[0][1].reason
    other = ingest(
        lk, "extxyz", [path], dataset="cu", key_map={"energy": "E"}, label_set="corrected"
    )
    assert other.total("rows") == 1
    assert lk.sql("SELECT count(*) FROM structures").fetchall() == [(1,)]
    labels = lk.sql("SELECT label_set, energy FROM labels ORDER BY energy").fetchall()
    assert labels == [("corrected", -2.0), ("dft", -1.0)]


@pytest.mark.parametrize("strict", [False, True])
def test_rejects_of_a_file_left_alone_are_told_again(lk: Lake, write: Write, strict: bool) -> None:
    path = write("a.xyz", frame(1, "energy=1") + frame(2, "energy=x") + frame(3, "energy=y"))
    ingest(lk, "extxyz", [path], dataset="cu")
    report = ingest(lk, "extxyz", [path], dataset="cu", strict=strict)
    assert not report.is_clean
    assert report.version is None
    assert f"{path}: left alone. Frames rejected then: 2, see rejects." in report.text()
    assert report.as_dict()["sources"][0]["earlier_rejects"] == 2


def test_other_labels_in_the_lake_say_where(lk: Lake, write: Write) -> None:
    first = write("a.xyz", frame(9) + frame(1, "energy=-1.0 name=a"))
    second = write("b.xyz", frame(1, "energy=-2.0 name=a"))
    ingest(lk, "extxyz", [first], dataset="cu")
    [(_, reject)] = ingest(lk, "extxyz", [second], dataset="cu").rejects
    assert f"{first}, frame 1: " in reject.reason
    assert "energy is -1.0 eV there and -2.0 eV here" in reject.reason
    assert reject.excerpt.startswith("1\n")
    assert "name=a" in reject.excerpt
    assert lk.sql("SELECT excerpt FROM rejects").fetchall() == [(reject.excerpt,)]


def test_other_labels_in_the_same_ingest_say_where(lk: Lake, write: Write) -> None:
    text = frame(1, "energy=-1.0", force=1.0) + frame(1, "energy=-1.0", force=2.0)
    path = write("a.xyz", text + frame(1, force=1.0))
    report = ingest(lk, "extxyz", [path], dataset="cu")
    reasons = [reject.reason for _, reject in report.rejects]
    assert all(f"{path}, frame 0 (line 1): " in reason for reason in reasons)
    assert "the energy is the same, forces or stress differ" in reasons[0]
    assert "energy is -1.0 eV there and not given here" in reasons[1]


def test_a_reject_made_of_a_label_shows_the_frame(lk: Lake, write: Write) -> None:
    text = frame(1, "energy=1") + frame(2, "energy=x") + frame(float("nan"), "name=b")
    report = ingest(lk, "extxyz", [write("a.xyz", text)], dataset="cu")
    assert [reject.excerpt for _, reject in report.rejects] == [
        frame(2, "energy=x"),
        frame(float("nan"), "name=b"),
    ]


@pytest.mark.parametrize(
    "text", ["\n\n", " \n\t\n", b"\xef\xbb\xbf", gzip.compress(b"\n\n", mtime=0)]
)
@pytest.mark.parametrize(
    ("importer", "frame", "said"),
    [("extxyz", -1, "blank lines alone"), ("cif", 0, "no data block with atom sites")],
)
def test_a_file_of_blank_lines_is_refused(
    lk: Lake, write: Write, text: str | bytes, importer: str, frame: int, said: str
) -> None:
    report = ingest(lk, importer, [write("a.xyz", text)], dataset="cu")
    [(_, reject)] = report.rejects
    assert reject.frame == frame
    assert said in reject.reason
    assert not report.is_clean


def test_one_frame_is_no_frames(lk: Lake, write: Write) -> None:
    report = ingest(lk, "extxyz", [write("a.xyz", frame(1))], dataset="cu")
    assert report.text().startswith("1 frame read: 1 new, 0 duplicates, 0 rejected.")
