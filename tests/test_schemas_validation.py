"""Rows are held to what their table declares before they are written."""

import pyarrow as pa
import pytest
from lake_samples import label, structure

from schemas import TABLES, find_faults


def rows(name: str, *values) -> pa.Table:
    return pa.Table.from_pylist(list(values), schema=TABLES[name].file_arrow)


def test_rows_as_declared_have_no_faults():
    labels = rows("labels", label(1), label(2, forces=None))
    assert list(find_faults(TABLES["labels"], labels)) == []


@pytest.mark.parametrize("axis", "xyz")
def test_a_component_that_is_too_short_is_found(axis):
    forces = {a: [0.0] * (1 if a == axis else 2) for a in "xyz"}
    faults = list(find_faults(TABLES["labels"], rows("labels", label(1), label(2, forces=forces))))
    assert faults == [f"labels.forces.{axis} has not n_atoms entries in 1 rows"]


def test_a_list_of_scalars_that_is_too_long_is_found():
    structures = rows("structures", structure(1, numbers=[29, 29, 29]))
    assert any(
        "structures.numbers" in fault for fault in find_faults(TABLES["structures"], structures)
    )


def test_a_missing_value_that_is_required_is_found():
    structures = rows("structures", structure(1, formula=None), structure(2))
    [fault] = find_faults(TABLES["structures"], structures)
    assert fault == "structures.formula is NULL in 1 of 2 rows"
