"""Self-contained HTML reports from run directories."""

from assay.reports.run import write_report

__all__ = ["write_report"]
