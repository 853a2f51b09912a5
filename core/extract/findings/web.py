"""Findings of the family "document": pages, drawings, scripts, calendars, notes, shortcuts, XML."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.findings.finding import Finding

FINDINGS: Final[dict[str, Finding]] = {
    "HTML_SMUGGLING": Finding("attachment", 8.0, "holds a page whose script puts a file together and hands it over"),
    "HTML_WRITES_ITSELF": Finding("attachment", 3.0, "holds a page whose script unpacks what it shows"),
    "HTML_DATA_FILE": Finding("attachment", 3.0, "holds a page that carries a file inside an address"),
    "HTML_SCRIPT": Finding("attachment", 1.0, "holds a page with a script"),
    "HTML_LEADS_ON": Finding("attachment", 2.0, "holds a page that leads on to another as soon as it is opened"),
    "HTML_ASKS_PASSWORD": Finding("phish", 4.0, "holds a page that asks for a password"),
    "SCRIPT_HIDES_DATA": Finding("attachment", 1.5, "holds a script with encoded data"),
    "SVG_SCRIPT": Finding("attachment", 6.0, "is a drawing with a script"),
    "SVG_FOREIGN_OBJECT": Finding("attachment", 3.0, "is a drawing with a page inside"),
    "ONENOTE_FILE": Finding("attachment", 3.0, "is a OneNote section with a file inside"),
    "CALENDAR_ATTACHMENT": Finding("attachment", 0.5, "is a calendar or address card with a file inside"),
    "SHORTCUT": Finding("attachment", 4.0, "is a shortcut that opens something else"),
    "SHORTCUT_TO_SHARE": Finding("attachment", 5.0, "is a shortcut to a folder or search somewhere else"),
    "SHORTCUT_STARTS_SHELL": Finding("malware", 10.0, "is a shortcut that starts a command interpreter"),
    "XML_ENTITIES": Finding("attachment", 1.0, "is XML that declares entities"),
    "XML_EXTERNAL_ENTITY": Finding("attachment", 5.0, "is XML that reads other files"),
    "XML_BOMB": Finding("malware", 10.0, "is XML that grows without end when it is read"),
    "CLINICAL_CDA": Finding("info", 0.0, "holds a clinical document (HL7 CDA)"),
    "CLINICAL_FHIR": Finding("info", 0.0, "holds clinical data (HL7 FHIR)"),
    "CLINICAL_HL7": Finding("info", 0.0, "holds clinical messages (HL7 v2)"),
    "CLINICAL_DICOM": Finding("info", 0.0, "holds a clinical picture (DICOM)"),
}
