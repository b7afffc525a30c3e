"""Reports: one HTML page that holds all it shows and asks the network for nothing."""

from queries.report.losses_report import write_losses_report
from queries.report.ood_report import write_ood_report

__all__ = ["write_losses_report", "write_ood_report"]
