"""The report of a job: ``build`` gathers it as plain JSON, ``render`` writes it in a format."""

from results.report.build import build
from results.report.render import Format, render

__all__ = ["Format", "build", "render"]
