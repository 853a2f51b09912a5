"""Findings of the family "document"."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.findings import office, pdf, web
from mxward.core.extract.findings.finding import Finding

FINDINGS: Final[dict[str, Finding]] = {**pdf.FINDINGS, **office.FINDINGS, **web.FINDINGS}
