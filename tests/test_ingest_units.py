"""Units of a source."""

from __future__ import annotations

import pickle

import pytest

from ingest.labels.units import SourceUnits
from lake.errors import InvalidInputError, NotFoundError


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("energy=eV", 1.0),
        ("energy=meV", 1e-3),
        ("energy=Ha", 27.211386),
        ("energy=Ry", 13.605693),
        ("energy=kcal/mol", 0.04336410),
        ("energy=kJ/mol", 0.01036427),
        ("length=Å", 1.0),
        ("length=A", 1.0),
        ("forces=eV/Ang", 1.0),
        ("stress=eV/ang^3", 1.0),
        ("length=Bohr", 0.52917721),
        ("length=nm", 10.0),
        ("forces=Hartree/Bohr", 51.42206),
        ("forces=kcal/mol/Å", 0.04336410),
        ("forces=eV/Angstrom", 1.0),
        ("stress=GPa", 0.006241509),
        ("stress=-GPa", -0.006241509),
        ("stress=kbar", 0.0006241509),
        ("stress=bar", 6.241509e-7),
        ("stress=Pa", 6.241509e-12),
        ("stress=eV/Angstrom^3", 1.0),
        ("stress=Hartree/Bohr**3", 183.6315),
        ("virial=-Ha", -27.211386),
    ],
)
def test_a_unit_has_its_factor(text: str, factor: float) -> None:
    units = SourceUnits.parse([text])
    assert getattr(units, text.partition("=")[0]) == pytest.approx(factor, rel=1e-6)
    assert units.as_dict() == dict([text.split("=", 1)])


def test_what_is_not_given_follows() -> None:
    units = SourceUnits.parse(["energy=Hartree", "length=Bohr"])
    assert units.forces == units.energy / units.length
    assert units.stress == units.energy / units.length**3
    assert units.virial == units.energy
    assert SourceUnits.parse([]) == SourceUnits()
    assert pickle.loads(pickle.dumps(units)) == units


@pytest.mark.parametrize(
    ("text", "error", "hint"),
    [
        ("energy", InvalidInputError, "QUANTITY=UNIT"),
        ("energy=", InvalidInputError, "QUANTITY=UNIT"),
        ("energi=eV", NotFoundError, "energy"),
        ("energy=hartre", NotFoundError, "Hartree"),
        ("energy=Bohr", InvalidInputError, "no unit of energy"),
        ("forces=eV/Å^2", InvalidInputError, "no unit of forces"),
        ("energy=-eV", InvalidInputError, "sign"),
    ],
)
def test_a_wrong_unit_lists_the_right_ones(text: str, error: type[Exception], hint: str) -> None:
    with pytest.raises(error, match=hint):
        SourceUnits.parse([text])


def test_an_unknown_unit_lists_them_all() -> None:
    with pytest.raises(NotFoundError) as caught:
        SourceUnits.parse(["length=furlong"])
    for unit in ("eV", "kcal/mol", "Å", "nm", "Pa"):
        assert unit in str(caught.value)


def test_one_quantity_has_one_unit() -> None:
    with pytest.raises(InvalidInputError, match="twice"):
        SourceUnits.parse(["energy=eV", "energy=Ha"])
