"""The report of a job: ``build`` gathers it, ``render`` writes it in a format."""

from results.report.build import Report, build
from results.report.render import Format, render

__all__ = ["Format", "Report", "build", "render"]
