"""Reading structures through ASE."""

from __future__ import annotations

import io
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixBondLength
from ase.io import read, write
from extxyz_samples import data_path

from ingest.ase_formats.importer import AseImporter
from ingest.frames.file_block import FileBlock
from ingest.labels.labels import LabelRules
from ingest.tables.tables import Parsed, parse
from lake.errors import NotFoundError, StorageError
from lake.structures.info_json import decode_info


def parsed(file_format: str, data: bytes, name: str) -> Parsed:
    importer = AseImporter(file_format)
    (block,) = importer.blocks(io.BytesIO(data), f"folder/{name}")
    block = pickle.loads(pickle.dumps(block.without_data())).with_data(data)
    batches, rejects = importer.read(block)
    found = parse(batches, LabelRules(), name=name, rejects=(*block.rejects, *rejects))
    assert found.n_frames == found.structures.num_rows + len(found.rejects)
    return found


def text_of(atoms: Atoms | list[Atoms], file_format: str) -> bytes:
    if file_format in ("cif", "traj"):
        stream = io.BytesIO()
        write(stream, atoms, format=file_format)
        return stream.getvalue()
    text = io.StringIO()
    write(text, atoms, format=file_format)
    return text.getvalue().encode()


def copper() -> Atoms:
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.positions += np.random.default_rng(0).normal(0, 0.1, atoms.positions.shape)
    return atoms


def test_every_structure_of_a_file_is_read() -> None:
    found = parsed("cif", text_of([copper(), bulk("Ni")], "cif"), "two.cif")
    assert not found.rejects
    assert found.structures["formula"].to_pylist() == ["Cu8", "Ni"]
    assert found.structures["frame"].to_pylist() == [0, 1]
    assert found.structures["pbc"].to_pylist() == [[True] * 3] * 2


def test_a_format_may_be_guessed() -> None:
    found = parsed("ase", text_of(copper(), "vasp"), "POSCAR")
    assert found.structures["formula"].to_pylist() == ["Cu8"]


def test_partial_occupancies_survive() -> None:
    text = text_of(bulk("Cu", cubic=True), "cif").replace(b"  1.0000", b"  0.7500")
    found = parsed("cif", text, "a.cif")
    info = decode_info(found.structures["info"][0].as_py())
    assert {"Cu": 0.75} in info["occupancy"].values()
    assert info["spacegroup"] == "P 1"
    names = [entry["name"] for entry in found.structures["arrays"][0].as_py()]
    assert "spacegroup_kinds" in names


def test_labels_of_a_calculator_are_labels() -> None:
    atoms = copper()
    atoms.calc = EMT()
    atoms.get_stress()
    found = parsed("traj", text_of(atoms, "traj"), "a.traj")
    (label,) = found.labels.to_pylist()
    assert label["energy"] == atoms.get_potential_energy()
    assert label["forces"]["x"] == atoms.get_forces()[:, 0].tolist()
    assert list(label["stress"].values()) == atoms.get_stress().tolist()


def test_fixed_atoms_become_a_mask_and_other_constraints_a_reject() -> None:
    fixed, bound = copper(), copper()
    fixed.set_constraint(FixAtoms([0, 2]))
    bound.set_constraint(FixBondLength(0, 1))
    found = parsed("traj", text_of([fixed, bound, copper()], "traj"), "a.traj")
    assert found.structures["frame"].to_pylist() == [0, 2]
    (entry,) = found.structures["arrays"][0].as_py()
    assert (entry["name"], entry["booleans"][:3]) == ("move_mask", [False, True, False])
    assert "FixBondLengths" in found.rejects[0].reason


def test_arrays_and_info_of_every_type_are_kept() -> None:
    atoms = molecule("H2O")
    atoms.info.update(
        name="w", flag=True, n=np.int64(3), vector=np.arange(3.0), nested={"a": (1, 2)}
    )
    atoms.arrays["site"] = np.array(["a", "b", "c"])
    atoms.set_tags([1, 2, 3])
    found = parsed("extxyz", text_of(atoms, "extxyz"), "a.xyz")
    info = decode_info(found.structures["info"][0].as_py())
    expected = {"name": "w", "flag": True, "n": 3, "vector": [0, 1, 2], "nested": {"a": [1, 2]}}
    assert info == expected
    entries = {entry["name"]: entry for entry in found.structures["arrays"][0].as_py()}
    assert entries["site"]["strings"] == ["a", "b", "c"]
    assert entries["tags"]["integers"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("file_format", "data", "reason"),
    [
        ("cif", b"nonsense\n", "ASE cannot read it as cif"),
        ("cif", b"# nothing\n", "no structure"),
        ("vasp", b"nonsense\n", "ASE cannot read it as vasp"),
        ("ase", b"\x00\x01nonsense", "ASE cannot read it by guessing its format"),
        ("traj", b"nonsense" * 100, "ASE cannot read it as traj"),
    ],
)
def test_a_file_ase_cannot_read_is_one_reject(file_format: str, data: bytes, reason: str) -> None:
    found = parsed(file_format, data, "a.bin")
    (reject,) = found.rejects
    assert reason in reject.reason
    assert found.n_frames == 1


def test_an_empty_file_holds_no_frames() -> None:
    assert list(AseImporter("cif").blocks(io.BytesIO(b""), "a.cif")) == []


def test_an_unknown_format_lists_the_near_ones() -> None:
    with pytest.raises(NotFoundError, match="cif"):
        AseImporter("ciff")


@pytest.mark.parametrize("n", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_real_cif_files_are_read(n: int) -> None:
    files = sorted(data_path("llzo", "cifs").glob("*.cif"))[:n]
    assert len(files) == n
    for file in files:
        found = parsed("cif", file.read_bytes(), file.name)
        assert not found.rejects
        (row,) = found.structures.to_pylist()
        assert row["n_atoms"] == len(row["positions"]["x"]) > 500
        assert row["elements"] == ["La", "Li", "O", "Zr"]
    expected = read(files[-1])
    assert row["positions"]["z"] == expected.positions[:, 2].tolist()


def test_no_room_for_the_copy_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    text = text_of(copper(), "xyz")
    block = FileBlock("a.xyz", len(text), text)
    with pytest.raises(StorageError, match=r"a\.xyz: no copy .* TMPDIR"):
        AseImporter("xyz").read(block)
