"""Labels under all their names."""

from __future__ import annotations

import pytest
from extxyz_samples import HEAD, LATTICE, frame, read

from ingest.labels.labels import LabelRules
from lake.errors import InvalidInputError, NotFoundError

FORCES = "Cu 0 0 0 1 2 3\nCu 1 1 1 4 5 6\n"
VOIGT = "1.0 2.0 3.0 0.4 0.5 0.6"
FULL = "1.0 0.6 0.5 0.6 2.0 0.4 0.5 0.4 3.0"
STRESS = {"xx": 1.0, "yy": 2.0, "zz": 3.0, "yz": 0.4, "xz": 0.5, "xy": 0.6}


@pytest.mark.parametrize(
    "key",
    ["REF_energy", "energy", "free_energy", "ref_energy", "dft_energy", "total_energy", "E"],
)
def test_energy_is_found_under_each_name(key: str) -> None:
    found = read(frame(f"{key}=-1.5 other=2"))
    assert found.column("energy") == [-1.5]
    assert found.info() == {"other": 2}


@pytest.mark.parametrize(
    "key",
    ["REF_force", "REF_forces", "forces", "force", "ref_forces", "dft_forces", "dft_force", "F"],
)
def test_forces_are_found_under_each_name(key: str) -> None:
    found = read(frame(columns=f"{HEAD}:{key}:R:3", atoms=FORCES))
    assert found.column("forces") == [{"x": [1.0, 4.0], "y": [2.0, 5.0], "z": [3.0, 6.0]}]
    assert found.column("arrays") == [[]]


@pytest.mark.parametrize("key", ["REF_stress", "stress", "ref_stress", "dft_stress"])
@pytest.mark.parametrize(
    "value", [f'"{VOIGT}"', f'"{FULL}"', "[[1, .6, .5], [.6, 2, .4], [.5, .4, 3]]"]
)
def test_stress_is_found_under_each_name_and_form(key: str, value: str) -> None:
    found = read(frame(f"{key}={value}"))
    assert found.column("stress") == [STRESS]
    assert found.info() == {}


@pytest.mark.parametrize("key", ["virial", "virials", "REF_virial", "REF_virials", "dft_virial"])
@pytest.mark.parametrize("value", [VOIGT, FULL])
def test_virial_becomes_stress(key: str, value: str) -> None:
    found = read(frame(f'{LATTICE} {key}="{value}"'))
    (stress,) = found.column("stress")
    assert stress == {name: pytest.approx(-number / 64) for name, number in STRESS.items()}


def test_an_equal_second_name_stays_an_ordinary_key() -> None:
    columns = f"{HEAD}:forces:R:3:F:R:3"
    found = read(frame("REF_energy=1.5 energy=1.5", "Cu 0 0 0 1 2 3 1 2 3\n", columns=columns))
    assert found.column("energy") == [1.5]
    assert found.info() == {"energy": 1.5}
    assert [entry["name"] for entry in found.column("arrays")[0]] == ["F"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (frame("energy=1.5 free_energy=1.25"), "--map energy=energy"),
        (frame("energy=nan"), "energy is nan"),
        (frame("energy=-inf"), "energy is -inf"),
        (frame('stress="1 2 3 4 5"'), "stress has 5 numbers"),
        (frame('stress="1 2 3 4 5 nan"'), "finite numbers expected"),
        (frame('stress="1 2 3 4 5 6 7 8 9"'), "not symmetric"),
        (frame(f'stress="{VOIGT}" REF_stress="{VOIGT[::-1]}"'), "--map stress=REF_stress"),
        (frame(f'virial="{VOIGT}"'), "its cell has no volume"),
        (frame(f'{LATTICE} virial="{VOIGT}" stress="{VOIGT}"'), "--map virial="),
        (
            frame(columns=f"{HEAD}:forces:R:3", atoms="Cu 0 0 0 1 2 3\nCu 1 1 1 4 nan 6\n"),
            "atom 1 has forces [4.0, nan, 6.0]",
        ),
        (
            frame(columns=f"{HEAD}:forces:R:3:F:R:3", atoms="Cu 0 0 0 1 2 3 1 2 4\n"),
            "atom 0 has forces [1.0, 2.0, 3.0] and F [1.0, 2.0, 4.0]",
        ),
    ],
)
def test_a_label_in_doubt_refuses_the_frame(text: str, reason: str) -> None:
    found = read(frame("energy=1") + text + frame("energy=2"))
    assert found.column("frame") == [0, 2]
    assert reason in found.reasons[0]
    assert found.column("energy") == [1.0, 2.0]


def test_stress_and_virial_may_both_be_given_when_they_agree() -> None:
    virial = " ".join(str(-64 * float(word)) for word in VOIGT.split())
    found = read(frame(f'{LATTICE} stress="{VOIGT}" virial="{virial}"'))
    assert found.column("stress") == [STRESS]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("energy", "******"),
        ("energy", "-1,5"),
        ("energy", '"1.5 eV"'),
        ("energy", "T"),
        ("energy", '"1 2"'),
        ("dft_energy", "[[1, 2]]"),
        ("stress", '"1 2 x 4 5 6"'),
        ("stress", "low"),
        ("stress", "1.0"),
        ("virial", "T"),
    ],
)
def test_a_usual_name_without_a_usable_value_refuses_the_frame(key: str, value: str) -> None:
    text = frame(f"{LATTICE} {key}={value}")
    (reason,) = read(text).reasons
    label = key.removeprefix("dft_")
    assert reason.startswith(key)
    assert f"--map {label}=" in reason
    assert "expected" in reason
    without = read(text, key_map={label: ""})
    assert not without.rejects
    assert list(without.info()) == [key]


@pytest.mark.parametrize("column", ["forces:R:1", "forces:S:3", "dft_force:L:3", "force:I:2"])
def test_a_column_of_forces_that_holds_none_refuses_the_frame(column: str) -> None:
    atoms = "Cu 0 0 0 " + " ".join(["T" if ":L:" in column else "1"] * int(column[-1])) + "\n"
    text = frame(columns=f"{HEAD}:{column}", atoms=atoms)
    (reason,) = read(text).reasons
    assert column in reason
    assert "--map forces=" in reason
    assert not read(text, key_map={"forces": ""}).rejects


def test_a_usable_second_name_is_the_way_out() -> None:
    (reason,) = read(frame("REF_energy=****** free_energy=-1.5")).reasons
    assert "--map energy=free_energy" in reason


@pytest.mark.parametrize(
    "value", ["-12345678901234567890", '"123456789012345678901"', "12", "007", "_JSON\\ 5"]
)
def test_integers_of_any_size_are_energies(value: str) -> None:
    found = read(frame(f"energy={value}"))
    expected = float(value.strip('"').removeprefix("_JSON\\ "))
    assert found.column("energy") == [expected]


def test_integers_are_stresses_forces_and_positions() -> None:
    found = read(
        frame(
            'stress="1 2 3 4 5 99999999999999999999"',
            "Cu 0 0 0 1 2 3\nCu 1 1 1 4 5 6\n",
            columns="Properties=species:S:1:pos:I:3:forces:I:3",
        )
    )
    assert found.column("stress")[0]["xy"] == 1e20
    assert found.column("forces") == [{"x": [1.0, 4.0], "y": [2.0, 5.0], "z": [3.0, 6.0]}]
    assert found.column("positions")[0]["x"] == [0.0, 1.0]


@pytest.mark.parametrize("value", ["None", '""', "_JSON\\ null"])
def test_a_key_that_holds_nothing_is_no_label(value: str) -> None:
    found = read(frame(f"energy={value} E=-1.5"))
    assert found.column("energy") == [-1.5]
    assert "energy" in found.info()
    assert not read(frame(f"stress={value} energy=1")).rejects


def test_one_letter_may_stand_for_anything() -> None:
    found = read(frame("E=T F=high", "Cu 0 0 0 4\n", columns=f"{HEAD}:F:R:1"))
    assert found.labels.num_rows == 0
    assert found.info() == {"E": True, "F": "high"}
    assert [entry["name"] for entry in found.column("arrays")[0]] == ["F"]
    assert read(frame("E=T"), key_map={"energy": "E"}).reasons


def test_a_label_name_elsewhere_is_an_ordinary_key() -> None:
    found = read(frame("forces=none F=3", "Cu 0 0 0 1\n", columns=f"{HEAD}:energy:R:1"))
    assert found.info() == {"forces": "none", "F": 3}


def test_a_key_given_to_one_label_is_none_of_the_others() -> None:
    found = read(frame(f'{LATTICE} virial="{VOIGT}"'), key_map={"stress": "virial"})
    assert found.column("stress") == [STRESS]
    with pytest.raises(InvalidInputError, match=r"e0 to energy and to stress"):
        LabelRules({"energy": "e0", "stress": "e0"})
    LabelRules({"energy": "", "stress": ""})


def test_the_identity_is_the_same_whichever_label_is_chosen() -> None:
    columns = f"{HEAD}:forces:R:3:F:R:3"
    text = frame(
        f'{LATTICE} energy=-1.5 E=-2.5 stress="{VOIGT}" name=a',
        "Cu 0 0 0 1 2 3 4 5 6\n",
        columns=columns,
    )
    maps = [
        {"energy": "energy", "forces": "forces"},
        {"energy": "E", "forces": "F"},
        {"energy": "", "forces": "", "stress": ""},
    ]
    found = [read(text, key_map=key_map) for key_map in maps]
    assert found[1].info() == {"energy": -1.5, "name": "a"}
    assert [entry["name"] for entry in found[1].column("arrays")[0]] == ["forces"]
    for name in ("structure_id", "structure_check", "geometry_id"):
        assert len({read.column(name)[0] for read in found}) == 1
    bare = read(frame(f"{LATTICE} name=a", "Cu 0 0 0\n"))
    assert bare.column("structure_id") == found[0].column("structure_id")


def test_what_could_be_no_label_counts_for_the_identity() -> None:
    ids = [read(frame(text)).column("structure_id") for text in ("E=a", "E=b", "E=1", "")]
    assert ids[0] != ids[1]
    assert ids[2] == ids[3]
    columns = [f"{HEAD}:F:R:1", f"{HEAD}:F:R:3", HEAD]
    atoms = ["Cu 0 0 0 1\n", "Cu 0 0 0 1 2 3\n", "Cu 0 0 0\n"]
    pairs = zip(columns, atoms, strict=True)
    ids = [read(frame(columns=c, atoms=a)).column("structure_id") for c, a in pairs]
    assert ids[0] != ids[1]
    assert ids[1] == ids[2]


def test_frames_may_lack_labels() -> None:
    text = frame("energy=1") + frame() + frame(f'stress="{VOIGT}"')
    found = read(text + frame(columns=f"{HEAD}:forces:R:3", atoms=FORCES))
    rows = found.labels.to_pylist()
    assert [row["frame"] for row in rows] == [0, 2, 3]
    assert [row["energy"] for row in rows] == [1.0, None, None]
    assert [row["stress"] is None for row in rows] == [True, False, True]
    assert [row["forces"] is None for row in rows] == [True, True, False]
    assert rows[0]["structure_id"] == found.column("structure_id")[0]


def test_a_mapped_key_is_the_only_one() -> None:
    text = frame("energy=1.5 my=2.5")
    found = read(text, key_map={"energy": "my"})
    assert found.column("energy") == [2.5]
    assert found.info() == {"energy": 1.5}
    none = read(text, key_map={"energy": ""})
    assert none.labels.num_rows == 0
    assert none.info() == {"energy": 1.5, "my": 2.5}


def test_a_mapped_key_must_hold_its_label() -> None:
    assert "mapped to energy" in read(frame("my=x"), key_map={"energy": "my"}).reasons[0]
    columns = f"{HEAD}:my:R:1"
    text = frame(columns=columns, atoms="Cu 0 0 0 1\n")
    assert "mapped to forces" in read(text, key_map={"forces": "my"}).reasons[0]
    assert read(frame("a=1"), key_map={"energy": "my"}).labels.num_rows == 0


def test_a_label_that_does_not_exist_lists_those_that_do() -> None:
    with pytest.raises(NotFoundError, match="energy"):
        LabelRules({"energie": "E"})


def test_config_type_has_a_column_of_its_own() -> None:
    found = read(frame("config_type=bulk") + frame("config_type=300") + frame())
    assert found.column("config_type") == ["bulk", "300", None]
    assert [found.info(i) for i in range(3)] == [{}, {"config_type": 300}, {}]
    mapped = read(frame("kind=bulk"), key_map={"config_type": "kind"})
    assert mapped.column("config_type") == ["bulk"]
    both = read(frame("kind=bulk config_type=slab"), key_map={"config_type": "kind"})
    assert "two values for the config_type" in both.reasons[0]


def test_source_units_are_converted_once() -> None:
    text = frame(f'{LATTICE} energy=2 stress="{VOIGT}"', FORCES, columns=f"{HEAD}:forces:R:3")
    found = read(text, units=("energy=Hartree", "length=Bohr", "stress=-GPa"))
    hartree, bohr, gpa = 27.211386024367243, 0.5291772105638411, 0.006241509125883258
    assert found.column("energy") == [pytest.approx(2 * hartree)]
    assert found.column("forces")[0]["z"] == pytest.approx([3 * hartree / bohr, 6 * hartree / bohr])
    assert found.column("positions")[0]["x"] == pytest.approx([0, bohr])
    assert found.column("cell")[0][0] == pytest.approx(4 * bohr)
    assert found.column("stress")[0]["xx"] == pytest.approx(-gpa)
