"""Findings of the family "document": PDF."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.findings.finding import Finding

FINDINGS: Final[dict[str, Finding]] = {
    "PDF_SCRIPT": Finding("attachment", 1.5, "holds a script"),
    "PDF_SCRIPT_REACHES_OUT": Finding("attachment", 4.0, "holds a script that opens files or addresses, or hides code"),
    "PDF_STARTS_ALONE": Finding("attachment", 1.0, "does something as soon as it is opened"),
    "PDF_LAUNCH": Finding("attachment", 6.0, "starts a program or opens a file"),
    "PDF_SUBMITS": Finding("attachment", 1.5, "sends what is entered in it somewhere"),
    "PDF_IMPORTS": Finding("attachment", 2.0, "reads data from another file"),
    "PDF_OTHER_FILE": Finding("attachment", 1.0, "leads to another file"),
    "PDF_NETWORK_SHARE": Finding("attachment", 5.0, "leads to a file on a network share, which gives log-in data away"),
    "PDF_EMBEDDED_FILE": Finding("attachment", 0.5, "has another file inside"),
    "PDF_XFA": Finding("attachment", 1.0, "holds a form of the old dynamic kind"),
    "PDF_MEDIA": Finding("attachment", 1.0, "holds moving pictures, sound or Flash"),
    "PDF_HIDDEN_OBJECT": Finding("attachment", 3.0, "holds active objects that only some readers see"),
    "PDF_ENCRYPTED": Finding("info", 0.0, "is encrypted, yet opens without a password"),
}
