"""The report: one page that can be read offline, and the same as JSON."""
