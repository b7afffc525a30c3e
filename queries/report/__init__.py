"""Reports: one HTML page that holds all it shows and asks the network for nothing."""

from queries.report.losses_report import write_losses_report

__all__ = ["write_losses_report"]
