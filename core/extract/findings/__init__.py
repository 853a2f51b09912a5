"""What openers can find in attachments beside their content: name -> category, weight, words. One table a family."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.findings import container, document, image, program
from mxward.core.extract.findings.finding import Finding

FINDINGS: Final[dict[str, Finding]] = {
    **container.FINDINGS, **document.FINDINGS, **image.FINDINGS, **program.FINDINGS,
}  # fmt: skip
