"""Structures as ase.Atoms: nothing lost, and only the labels there are."""

from __future__ import annotations

import io
import pickle
from copy import deepcopy
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator
from lake_samples import append, ingest, label, structure

import lake
from lake.errors import InvalidInputError, NotFoundError
from lake.lake import Lake
from lake.log import data_files

TRICLINIC = [3.0, 0.0, 0.0, 1.0, 3.0, 0.0, 0.5, 0.25, 3.0]
STRESS = dict(
    zip(("xx", "yy", "zz", "yz", "xz", "xy"), (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), strict=True)
)


def array(name: str, n_columns: int = 1, **values: object) -> dict[str, object]:
    return {"name": name, "n_columns": n_columns, **values}


@pytest.fixture
def lk(tmp_path: Path) -> Lake:
    """1: one atom, energy only. 2: everything. 3: no labels."""
    lk = lake.create(str(tmp_path / "lake"))
    full = structure(
        2,
        n_atoms=3,
        numbers=[8, 1, 1],
        positions={"x": [0.0, 1.0, 2.0], "y": [3.0, 4.0, 5.0], "z": [6.0, 7.0, -0.0]},
        cell=TRICLINIC,
        pbc=[True, False, True],
        info='{"gap":{"$float":"nan"},"nested":{"a":[1,{"$float":"-inf"}]},"step":3}',
        arrays=[
            array("magmoms", floats=[0.5, -0.5, 0.0]),
            array("velocities", 3, floats=[float(i) for i in range(9)]),
            array("tags", integers=[1, 2, 3]),
            array("site", strings=["O", "H1", "H22"]),
            array("fixed", 2, booleans=[True, False] * 3),
        ],
    )
    forces = {"x": [1.0, 2.0, 3.0], "y": [4.0, 5.0, 6.0], "z": [7.0, 8.0, 9.0]}
    append(
        lk,
        structures=[
            structure(1, n_atoms=1, config_type=None),
            full,
            structure(3, config_type="vacancy"),
        ],
        labels=[
            label(1, n_atoms=1, energy=0.0, forces=None),
            label(2, n_atoms=3, energy=-1.5, forces=forces, stress=STRESS),
        ],
    )
    return lk


def test_a_structure_comes_back_whole(lk: Lake) -> None:
    atoms = lk.atoms(2)
    assert isinstance(atoms, Atoms)
    assert atoms.get_chemical_symbols() == ["O", "H", "H"]
    np.testing.assert_array_equal(atoms.positions, [[0, 3, 6], [1, 4, 7], [2, 5, -0.0]])
    np.testing.assert_array_equal(atoms.cell.array.ravel(), TRICLINIC)
    assert atoms.pbc.tolist() == [True, False, True]
    gap = atoms.info.pop("gap")
    assert np.isnan(gap)
    assert atoms.info == {
        "config_type": "bulk",
        "nested": {"a": [1, float("-inf")]},
        "step": 3,
    }


def test_arrays_have_their_shape_and_type(lk: Lake) -> None:
    arrays = lk.atoms(2).arrays
    assert arrays["magmoms"].tolist() == [0.5, -0.5, 0.0]
    assert arrays["velocities"].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert arrays["tags"].dtype == np.int64
    assert arrays["site"].dtype.kind == "U"
    assert arrays["site"].tolist() == ["O", "H1", "H22"]
    assert arrays["fixed"].tolist() == [[True, False]] * 3


def test_labels_are_a_calculator(lk: Lake) -> None:
    atoms = lk.atoms(2)
    assert atoms.get_potential_energy() == -1.5
    assert atoms.get_forces().tolist() == [[1, 4, 7], [2, 5, 8], [3, 6, 9]]
    assert atoms.get_stress().tolist() == [1, 2, 3, 4, 5, 6]


def test_an_energy_of_zero_is_an_energy_and_other_labels_are_missing(lk: Lake) -> None:
    atoms = lk.atoms(1)
    assert atoms.calc.results == {"energy": 0.0}
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_forces()
    assert atoms.info == {}


def test_without_labels_there_is_no_calculator(lk: Lake) -> None:
    assert lk.atoms(3).calc is None


def test_labels_are_not_those_of_a_changed_structure(lk: Lake) -> None:
    atoms = lk.atoms(2)
    atoms.positions[0, 0] += 0.1
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_potential_energy()


def test_labels_of_atoms_with_moments_and_charges(tmp_path: Path) -> None:
    lk = lake.create(str(tmp_path / "magnetic"))
    arrays = [
        array("initial_magmoms", 3, floats=[0.0, 0.0, 0.6, 0.0, 0.0, -0.6]),
        array("initial_charges", floats=[1.0, -1.0]),
    ]
    append(lk, structures=[structure(1, arrays=arrays)], labels=[label(1)])
    atoms = lk.atoms(1)
    assert atoms.get_potential_energy() == 1.0
    assert (atoms.get_forces() == 0.5).all()
    atoms.set_initial_charges([0.0, 0.0])
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_potential_energy()


def test_the_calculator_has_all_that_ase_gives_its_own(lk: Lake) -> None:
    atoms = lk.atoms(2)
    own = SinglePointCalculator(atoms, energy=-1.5)
    assert atoms.get_potential_energy() == own.get_potential_energy()
    assert set(vars(own)) - set(vars(atoms.calc)) <= {"get_spin_polarized"}
    assert isinstance(atoms.calc, SinglePointCalculator)
    assert atoms.calc.parameters is not lk.atoms(2).calc.parameters


@pytest.mark.parametrize("again", [deepcopy, lambda a: pickle.loads(pickle.dumps(a))])
def test_copies_keep_their_labels(lk: Lake, again: object) -> None:
    copied = again(lk.atoms(2))  # type: ignore[operator]
    assert copied.get_potential_energy() == -1.5


def test_ase_writes_the_labels(lk: Lake) -> None:
    text = io.StringIO()
    ase.io.write(text, lk.atoms(1), format="extxyz")
    assert "energy=0.0" in text.getvalue()


def test_a_list_of_ids_is_a_list_in_that_order(lk: Lake) -> None:
    assert [len(a) for a in lk.atoms([3, 1, 2, 1])] == [2, 1, 3, 1]
    assert lk.atoms([]) == []


def test_an_unknown_structure_dataset_or_label_set_is_told(lk: Lake) -> None:
    with pytest.raises(NotFoundError, match="structure_id 9"):
        lk.atoms(9)
    with pytest.raises(NotFoundError, match="Did you mean cu"):
        lk.atoms(1, dataset="cuu")
    with pytest.raises(NotFoundError, match="dft"):
        lk.atoms(1, label_set="pbe")


def test_several_label_sets_must_be_chosen_from(lk: Lake) -> None:
    append(lk, labels=[label(3, label_set="emt", energy=3.5)])
    with pytest.raises(InvalidInputError, match="dft, emt"):
        lk.atoms(1)
    with pytest.raises(InvalidInputError, match="dft, emt"):
        lk.iter_atoms()
    assert lk.atoms(3, label_set="emt").get_potential_energy() == 3.5
    assert lk.atoms(1, label_set="emt").calc is None


def test_a_structure_in_two_datasets_has_the_labels_of_the_one_named(lk: Lake) -> None:
    append(lk, structures=[structure(3, "ni")], labels=[label(3, "ni", energy=8.0)])
    assert lk.atoms(3, dataset="ni").get_potential_energy() == 8.0
    assert lk.atoms(3, dataset="cu").calc is None
    assert lk.atoms(3).get_potential_energy() == 8.0  # any will do; only ni has labels


def test_the_newest_version_is_read(lk: Lake) -> None:
    assert lk.atoms(3).calc is None
    version = lk.version
    append(lk, labels=[label(3, energy=2.0)])
    assert lk.atoms(3).get_potential_energy() == 2.0
    assert lk.at(version).atoms(3).calc is None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, [1, 3, 2]),
        ("n_atoms > 1", [3, 2]),
        ("config_type = 'vacancy'", [2]),
        ("config_type = 'energy'", []),
        ("energy < 0", [3]),
        ("energy IS NULL -- no labels", [2]),
        ("label_set = 'dft' AND forces IS NULL", [1]),
        ("n_atoms = 3 AND labels.stress.xx = 1", [3]),
        ("structure_id IN (SELECT structure_id FROM labels WHERE n_atoms = 1)", [1]),
    ],
)
def test_a_condition_selects_in_the_order_of_the_files(
    lk: Lake, where: str | None, expected: list[int]
) -> None:
    assert [len(a) for batch in lk.iter_atoms(where) for a in batch] == expected


@pytest.mark.parametrize(
    "where", ["n_atom > 1", "SELECT", "n_atoms > (", "n_atoms IN (FROM '/etc/passwd')"]
)
def test_a_wrong_condition_is_an_error_at_once(lk: Lake, where: str) -> None:
    with pytest.raises(InvalidInputError, match="--where") as caught:
        lk.iter_atoms(where)
    assert "\n" not in str(caught.value)


def test_a_misspelt_column_lists_the_near_ones(lk: Lake) -> None:
    with pytest.raises(InvalidInputError, match="n_atoms"):
        lk.iter_atoms("n_atom > 1")


def test_batches_have_the_size_asked(tmp_path: Path) -> None:
    lk = lake.create(str(tmp_path / "lake"))
    ingest(lk, range(7))
    assert [len(batch) for batch in lk.iter_atoms(batch_size=3)] == [3, 3, 1]
    with pytest.raises(InvalidInputError, match="at least 1"):
        lk.iter_atoms(batch_size=0)


def test_selecting_by_labels_of_another_set_does_not_double(lk: Lake) -> None:
    append(lk, labels=[label(2, label_set="emt", n_atoms=3, energy=-2.0)])
    found = [a for batch in lk.iter_atoms("energy < 0", label_set="dft") for a in batch]
    assert [a.get_potential_energy() for a in found] == [-1.5]


@pytest.mark.parametrize("atoms_per_row_group", [1, 1_000_000])
def test_one_id_gives_what_a_list_of_ids_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, atoms_per_row_group: int
) -> None:
    monkeypatch.setattr(data_files, "ATOMS_PER_ROW_GROUP", atoms_per_row_group)
    lk = lake.create(str(tmp_path / "lake"))
    rows = [structure(i, n_atoms=1 + i % 3, info=f'{{"i":{i}}}') for i in range(9)]
    rows[4]["arrays"] = [array("tags", integers=[1, 2])]
    rows[5]["arrays"] = []
    rows[6] |= {"config_type": None, "info": None, "pbc": [True, False, True], "cell": TRICLINIC}
    labels = [label(i, n_atoms=1 + i % 3, stress=STRESS if i % 2 else None) for i in range(8)]
    labels[2]["forces"] = labels[3]["energy"] = None
    append(lk, structures=rows, labels=labels)
    for one, listed in zip([lk.atoms(i) for i in range(9)], lk.atoms(range(9)), strict=True):
        assert _content(one) == _content(listed)


def _content(atoms: Atoms) -> object:
    parts = {**atoms.arrays, "cell": atoms.cell.array, "pbc": atoms.pbc}
    if atoms.calc is not None:
        parts |= {f"calc {name}": value for name, value in atoms.calc.results.items()}
        assert atoms.calc.atoms == atoms
    return atoms.info, {
        name: (value.dtype, value.tolist()) if isinstance(value, np.ndarray) else value
        for name, value in parts.items()
    }


def test_one_structure_does_not_keep_its_row_group(lk: Lake) -> None:
    atoms = lk.atoms(2)
    arrays = [*atoms.arrays.values(), atoms.pbc, *atoms.calc.results.values()]
    assert all(a.flags.owndata or a.base.nbytes == a.nbytes for a in arrays if np.ndim(a))
    atoms.positions += 1.0
    atoms.calc.results["forces"] += 1.0
    assert lk.atoms(2).positions[0].tolist() == [0, 3, 6]
    assert lk.atoms(2).get_forces()[0].tolist() == [1, 4, 7]


def test_what_another_writer_commits_is_read_at_once(lk: Lake) -> None:
    other = lake.open(lk.storage.uri)
    for identity in range(10, 30):
        with pytest.raises(NotFoundError):
            lk.atoms(identity)
        append(other, structures=[structure(identity)])
        assert len(lk.atoms(identity)) == 2
        assert lk.version == other.version


def test_a_lake_that_is_taken_away_is_not_read_from_memory(lk: Lake, tmp_path: Path) -> None:
    assert len(lk.atoms(1)) == 1
    (tmp_path / "lake").rename(tmp_path / "away")
    with pytest.raises(NotFoundError, match="holds no lake"):
        lk.atoms(1)
    lake.create(str(tmp_path / "lake"))
    with pytest.raises(NotFoundError, match="structure_id 1"):
        lk.atoms(1)
