"""The kindest case for pandas: one Parquet file, one row per atom and model, all joined already."""

from __future__ import annotations

from pathlib import Path

from lake.lake import Lake


def write(lk: Lake, file: Path) -> None:
    """Every atom with its region, its reference force and its predicted force."""
    with lk.connect() as connection:
        connection.execute(
            "COPY (SELECT p.model, UNNEST(r.region) AS region,"
            + ",".join(
                f"UNNEST(p.forces.{axis}) AS predicted_{axis},"
                f"UNNEST(l.forces.{axis}) AS reference_{axis}"
                for axis in "xyz"
            )
            + " FROM predictions AS p JOIN labels AS l USING (dataset, structure_id)"
            " JOIN regions AS r USING (dataset, structure_id))"
            f" TO '{file}' (FORMAT parquet)"
        )


def errors(file: Path) -> dict[tuple[str, str], float]:
    """Mean norm of the error by model and region."""
    import pandas as pd

    frame = pd.read_parquet(file)
    squared = sum((frame[f"predicted_{axis}"] - frame[f"reference_{axis}"]) ** 2 for axis in "xyz")
    means = (squared**0.5).groupby([frame["model"], frame["region"]]).mean()
    return dict(means.items())
