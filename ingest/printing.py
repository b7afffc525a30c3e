"""How a command of `atomlake ingest` ends."""

from __future__ import annotations

from typing import Any

import click

from lake.commands.printing import print_json
from lake.commands.target import Target


def print_report(target: Target, report: Any) -> None:
    """Print a report, and end with code 1 if anything was rejected."""
    if target.as_json:
        print_json(report.as_dict())
    else:
        click.echo(report.text())
    if not report.is_clean:
        raise SystemExit(1)
