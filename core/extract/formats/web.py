"""Formats of the family "document": pages, drawings, calendars, notes, shortcuts, XML, clinical data."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.formats.format import Format

FORMATS: Final[tuple[Format, ...]] = (
    Format(
        "HTML and HTML applications", ("text/html", "application/hta"), "document.html:open_html",
        "own code, zxing-cpp",
        "scripts are read, not run; HTML that is the text of a mail is opened when it holds a script, a `data:` "
        "address or a large table",
    ),
    Format("SVG", ("image/svg+xml",), "document.svg:open_svg", "own code, zxing-cpp", "scripts are read, not run"),
    Format("calendars and address cards (ics, vcf)", ("text/calendar", "text/vcard"), "document.calendar:open_calendar",
           limits="200,000 lines"),
    Format("OneNote sections", ("application/onenote",), "document.onenote:open_onenote",
           limits="2,000 files; pages and revisions are not followed"),
    Format("XML: entities, Windows libraries and searches, property lists, CDA, FHIR", ("text/xml",),
           "document.xml:open_xml", limits="nothing is expanded"),
    Format("shortcuts of Windows (lnk)", ("application/x-ms-shortcut",), "program.shortcut:open_lnk", "LnkParse3"),
    Format("shortcuts to addresses (url)", ("application/x-mswinurl",), "program.shortcut:open_url"),
    Format("clinical messages HL7 v2", ("application/hl7-v2",), "document.clinical:open_hl7"),
    Format("clinical pictures DICOM", ("application/dicom",), "document.clinical:open_dicom",
           limits="recognised; its pictures are not read"),
    Format("rich text (rtf)", ("application/rtf",), "document.rtf:open_rtf",
           limits="8 MB of text, 64 MB of object data"),
    Format(
        "OpenDocument (odt, ods, odp and others)",
        (
            "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument",
        ),
        "document.odf:open_odf", "own code, lxml", "the first 8 MB of text; encrypted ones are recognised only",
    ),
)  # fmt: skip
