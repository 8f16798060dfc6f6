"""The report: one page that can be read offline, and the same as JSON."""

from vbtools.report.write import Report, json_beside, write_report

__all__ = ["Report", "json_beside", "write_report"]
