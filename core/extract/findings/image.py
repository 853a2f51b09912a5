"""Findings of the family "image"."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.findings.finding import Finding

FINDINGS: Final[dict[str, Finding]] = {
    "IMAGE_CODE": Finding("info", 0.0, "shows a QR code or another code that cameras read"),
    "IMAGE_BOMB": Finding("attachment", 3.0, "is a picture of a size that no honest picture has"),
    "IMAGE_APPENDED": Finding("attachment", 1.0, "is a picture with other data after its end"),
}
