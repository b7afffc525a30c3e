"""From files to one commit: what goes in, what is refused, what is there already."""

import gzip
import io
import lzma
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import lake
from ingest.api import ingest
from lake.errors import InvalidInputError


def frame(x: float, *, energy: float | None = None, force: float | None = None, **info) -> str:
    """Text of one frame of two atoms, the second at x."""
    columns = "species:S:1:pos:R:3" + (":forces:R:3" if force is not None else "")
    keys = dict(info)
    if energy is not None:
        keys["energy"] = energy
    vector = f" {force} 0.0 0.0" if force is not None else ""
    head = f'Lattice="9 0 0 0 9 0 0 0 9" Properties={columns} pbc="T T T"'
    head += "".join(f" {key}={value}" for key, value in keys.items())
    return f"2\n{head}\nCu 0.0 0.0 0.0{vector}\nNi {x} 0.0 0.0{vector}\n"


FRAMES = "".join(frame(1 + i / 100, energy=-float(i), force=i / 10) for i in range(20))


@pytest.fixture
def lk(tmp_path):
    return lake.create(str(tmp_path / "lake"))


@pytest.fixture
def write(tmp_path):
    def write(name: str, text: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    return write


def counts(lk) -> tuple[int, int, int]:
    return tuple(
        lk.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0]
        for table in ("structures", "labels", "rejects")
    )


def assert_accounts_close(lk):
    open_accounts = lk.sql(
        "SELECT * FROM sources WHERE frames_read != rows + duplicates + rejects"
    ).fetchall()
    assert open_accounts == []
    assert lk.sql("SELECT coalesce(sum(rejects), 0) FROM sources").fetchall()[0][0] == counts(lk)[2]


def test_frames_become_rows_of_structures_and_labels(lk, write):
    report = ingest(lk, "extxyz", [write("a.xyz", FRAMES)], dataset="cu")
    assert (report.version, report.is_clean, report.total("rows")) == (1, True, 20)
    assert counts(lk) == (20, 20, 0)
    rows = lk.sql(
        "SELECT s.frame, s.formula, s.positions.x[2], l.energy, l.forces.x "
        "FROM structures s JOIN labels l USING (dataset, structure_id) ORDER BY s.frame"
    ).fetchall()
    assert rows[7] == (7, "CuNi", 1.07, -7.0, [0.7, 0.7])
    assert_accounts_close(lk)


def test_reading_the_same_file_again_adds_nothing(lk, write):
    path = write("a.xyz", FRAMES)
    ingest(lk, "extxyz", [path], dataset="cu")
    report = ingest(lk, "extxyz", [path], dataset="cu")
    assert report.version is None
    assert [source.is_unchanged for source in report.sources] == [True]
    assert lk.version == 1


def test_one_file_needs_no_list_and_a_path_no_text(lk, write):
    path = write("a.xyz", FRAMES)
    assert lk.ingest("extxyz", path, dataset="text").total("rows") == 20
    assert lk.ingest("extxyz", Path(path), dataset="path").total("rows") == 20
    assert lk.ingest("extxyz", [Path(path)], dataset="list").total("rows") == 20


def test_a_file_is_left_alone_without_loading_what_is_slow_to_load(lk, write):
    path = write("a.xyz", FRAMES)
    ingest(lk, "extxyz", [path], dataset="cu")
    code = (
        "import sys, lake\n"
        f"report = lake.open({lk.storage.uri!r}).ingest('extxyz', [{path!r}], dataset='cu')\n"
        "heavy = ('pandas', 'polars', 'duckdb', 'deltalake', 'zarr', 'scipy', 'ase')\n"
        "print(report.version, [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None []"


def test_files_whose_label_set_was_dropped_are_read_again(lk, write):
    bare = "".join(frame(100 + i) for i in range(2))
    paths = [write("a.xyz", FRAMES), write("repeated.xyz", FRAMES), write("bare.xyz", bare)]
    ingest(lk, "extxyz", paths, dataset="cu")
    lk.drop(dataset="cu", label_set="dft")
    assert lk.check() == []
    report = ingest(lk, "extxyz", paths, dataset="cu")
    assert not any(source.is_unchanged for source in report.sources)
    assert counts(lk)[:2] == (22, 20)
    assert lk.check() == []
    again = ingest(lk, "extxyz", paths, dataset="cu")
    assert all(source.is_unchanged for source in again.sources)


def test_a_file_that_grew_adds_its_new_frames_alone(lk, write):
    ingest(lk, "extxyz", [write("a.xyz", FRAMES)], dataset="cu")
    report = ingest(lk, "extxyz", [write("a.xyz", FRAMES + frame(7.0, energy=1.0))], dataset="cu")
    assert (report.total("rows"), report.total("duplicates")) == (1, 20)
    assert counts(lk) == (21, 21, 0)
    assert_accounts_close(lk)


def test_a_frame_repeated_in_a_file_is_stored_once(lk, write):
    text = frame(1, energy=-1.0) + frame(2, energy=-2.0) + frame(1, energy=-1.0)
    report = ingest(lk, "extxyz", [write("a.xyz", text)], dataset="cu")
    assert (report.total("rows"), report.total("duplicates")) == (2, 1)
    assert counts(lk) == (2, 2, 0)


def test_other_labels_for_the_same_frame_are_a_reject(lk, write):
    ingest(lk, "extxyz", [write("a.xyz", frame(1, energy=-1.0))], dataset="cu")
    report = ingest(lk, "extxyz", [write("b.xyz", frame(1, energy=-2.0))], dataset="cu")
    assert report.total("rejects") == 1
    assert "other labels" in report.rejects[0][1].reason
    assert lk.sql("SELECT energy FROM labels").fetchall() == [(-1.0,)]
    assert_accounts_close(lk)


def test_another_label_set_holds_other_labels_of_the_same_structure(lk, write):
    ingest(lk, "extxyz", [write("a.xyz", frame(1, energy=-1.0))], dataset="cu")
    path = write("b.xyz", frame(1, energy=-2.0))
    report = ingest(lk, "extxyz", [path], dataset="cu", label_set="ccsd")
    assert report.total("rows") == 1
    assert counts(lk) == (1, 2, 0)


def test_labels_may_come_after_the_structure(lk, write):
    ingest(lk, "extxyz", [write("a.xyz", frame(1) + frame(2))], dataset="cu")
    assert counts(lk) == (2, 0, 0)
    report = ingest(lk, "extxyz", [write("b.xyz", frame(2, energy=-2.0))], dataset="cu")
    assert report.total("rows") == 1
    assert counts(lk) == (2, 1, 0)


def test_bad_frames_are_rejected_and_the_others_go_in(lk, write):
    bad = frame(1.5, energy=-1.0).replace("Ni", "Xx")
    path = write("a.xyz", frame(1, energy=-1.0) + bad + frame(2, energy=-2.0))
    report = ingest(lk, "extxyz", [path], dataset="cu")
    assert counts(lk) == (2, 2, 1)
    [(uri, line, number)] = lk.sql("SELECT uri, line, frame FROM rejects").fetchall()
    assert (uri, line, number) == (path, 5, 1)
    assert "frame 1 (line 5)" in report.text()
    assert_accounts_close(lk)


def test_strict_commits_nothing(lk, write):
    bad = frame(1.5, energy=float("nan"))
    report = ingest(lk, "extxyz", [write("a.xyz", frame(1) + bad)], dataset="cu", strict=True)
    assert (report.version, lk.version, counts(lk)) == (None, 0, (0, 0, 0))
    assert "--strict" in report.text()
    assert not list(Path(lk.storage.uri).glob("structures/**/*.parquet"))


@pytest.mark.parametrize(
    ("ending", "compress"),
    [
        ("gz", gzip.compress),
        ("xz", lzma.compress),
        ("zst", lambda data: pa.compress(data, "zstd", asbytes=True)),
    ],
)
def test_compressed_files_are_read_as_they_are(lk, write, ending, compress):
    report = ingest(
        lk, "extxyz", [write(f"a.xyz.{ending}", compress(FRAMES.encode()))], dataset="cu"
    )
    assert report.total("rows") == 20
    again = ingest(lk, "extxyz", [write("plain.xyz", FRAMES)], dataset="cu")
    assert again.total("duplicates") == 20


def test_a_damaged_gzip_keeps_what_came_before(lk, write):
    rng = np.random.default_rng(0)
    text = "".join(frame(x, energy=x) for x in rng.uniform(1, 8, 400))
    whole = gzip.compress(text.encode())
    report = ingest(lk, "extxyz", [write("a.xyz.gz", whole[: len(whole) // 2])], dataset="cu")
    assert 0 < report.total("rows") < 400
    assert any("damaged" in reject.reason for _, reject in report.rejects)
    assert_accounts_close(lk)


def test_standard_input(lk, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FRAMES.encode())))
    report = ingest(lk, "extxyz", ["-"], dataset="cu")
    assert report.total("rows") == 20


@pytest.mark.parametrize(
    ("text", "what"),
    [("", "empty"), ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS")],
)
def test_a_file_that_holds_no_frames_is_a_reject_of_the_whole(lk, write, text, what):
    good = write("good.xyz", FRAMES)
    report = ingest(lk, "extxyz", [write("bad.xyz", text), good], dataset="cu")
    assert report.total("rows") == 20
    [(_, reject)] = report.rejects
    assert reject.frame == -1
    assert what in reject.reason
    assert_accounts_close(lk)


def test_names_that_stand_for_nothing_are_all_listed(lk, tmp_path):
    with pytest.raises(InvalidInputError) as caught:
        ingest(lk, "extxyz", ["nothere.xyz", "no*.xyz", str(tmp_path)], dataset="cu")
    for word in ("nothere.xyz", "no*.xyz", "is a folder"):
        assert word in str(caught.value)
    assert lk.version == 0


@pytest.mark.parametrize("processes_from_bytes", [0, 1 << 30])
def test_workers_give_the_same_rows_as_one(tmp_path, write, monkeypatch, processes_from_bytes):
    monkeypatch.setattr("ingest.api.PROCESSES_FROM_BYTES", processes_from_bytes)
    rng = np.random.default_rng(1)
    many = "".join(frame(x, energy=x, force=x) for x in rng.uniform(1, 8, 3000))
    paths = [write("a.xyz", many), write("b.xyz.gz", gzip.compress(FRAMES.encode()))]
    tables = []
    for workers in (1, 2):
        lk = lake.create(str(tmp_path / f"lake{workers}"))
        ingest(lk, "extxyz", paths, dataset="cu", workers=workers)
        query = "SELECT * EXCLUDE (source_id) FROM structures ORDER BY structure_id"
        tables.append(lk.sql(query).pl())
        assert_accounts_close(lk)
    assert tables[0].equals(tables[1])


def test_a_file_larger_than_a_block_keeps_frame_numbers_and_lines(lk, write):
    rng = np.random.default_rng(2)
    texts = [frame(x, energy=x) for x in rng.uniform(1, 8, 60_000)]
    texts[50_000] = texts[50_000].replace("Ni", "Xx")
    report = ingest(lk, "extxyz", [write("a.xyz", "".join(texts))], dataset="cu")
    assert report.total("rows") == 59_999
    [(_, reject)] = report.rejects
    assert (reject.frame, reject.line) == (50_000, 200_001)
    frames = lk.sql("SELECT min(frame), max(frame), count(DISTINCT frame) FROM structures")
    assert frames.fetchall() == [(0, 59_999, 59_999)]


@pytest.mark.parametrize("n_blocks", [1, 3])
def test_frames_that_cutting_refuses_are_accounted_for(lk, write, n_blocks):
    broken = frame(1.5).replace("Cu 0.0 0.0 0.0\n", "")
    texts = [frame(1 + i / 1000) + broken + frame(5 + i / 1000) for i in range(3)]
    paths = [write(f"{i}.xyz", text) for i, text in enumerate(texts[:n_blocks])]
    report = ingest(lk, "extxyz", paths, dataset="cu")
    assert (report.total("frames_read"), report.total("rejects")) == (3 * n_blocks, n_blocks)
    assert counts(lk) == (2 * n_blocks, 0, n_blocks)
    assert_accounts_close(lk)
