"""Findings of the family "document": Office in all its formats, RTF, OpenDocument."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.findings.finding import Finding

FINDINGS: Final[dict[str, Finding]] = {
    # macros
    "OFFICE_MACRO": Finding("attachment", 1.5, "holds a macro"),
    "OFFICE_MACRO_STARTS_ALONE": Finding("attachment", 2.0, "holds a macro that runs when it is opened or closed"),
    "OFFICE_MACRO_REACHES_OUT": Finding(
        "attachment", 3.0, "holds a macro that starts programs, writes files, or reaches the network"
    ),
    "OFFICE_MACRO_HIDES": Finding("attachment", 2.0, "holds a macro that hides what it does"),
    "OFFICE_MACRO_UNREADABLE": Finding("attachment", 3.0, "holds a macro whose source cannot be read"),
    "OFFICE_VBA_STOMPED": Finding("malware", 8.0, "holds a macro whose source was taken away or changed, so that "
                                  "only its compiled form tells what it does"),
    "OFFICE_XLM": Finding("attachment", 3.0, "holds a macro of the old Excel 4.0 kind"),
    "OFFICE_XLM_STARTS_ALONE": Finding("attachment", 3.0, "holds an Excel 4.0 macro that runs when it is opened"),
    "OFFICE_XLM_REACHES_OUT": Finding(
        "attachment", 4.0, "holds an Excel 4.0 macro that starts programs or calls the system"
    ),
    "OFFICE_HIDDEN_SHEET": Finding("info", 0.0, "holds a sheet that is not shown"),
    "OFFICE_VERY_HIDDEN_SHEET": Finding("attachment", 1.0, "holds a sheet that nobody can make visible by the menu"),
    "OFFICE_HIDDEN_MACRO_SHEET": Finding("attachment", 4.0, "holds an Excel 4.0 macro on a sheet that is not shown"),
    "OFFICE_CUSTOM_UI": Finding("attachment", 2.0, "calls a macro when its own menu is loaded"),
    "OFFICE_ACTION": Finding("attachment", 4.0, "starts a program or a macro by a click or a passing pointer"),
    # what it fetches
    "OFFICE_DDE": Finding("attachment", 6.0, "asks another program for data by DDE, which can start any program"),
    "OFFICE_REMOTE_TEMPLATE": Finding("attachment", 5.0, "loads a template from elsewhere when it is opened"),
    "OFFICE_REMOTE_OBJECT": Finding("attachment", 5.0, "loads an object from elsewhere when it is opened"),
    "OFFICE_REMOTE_PICTURE": Finding("attachment", 1.0, "loads a picture from elsewhere, which tells who opened it"),
    "OFFICE_REMOTE_DATA": Finding("attachment", 2.0, "fetches data from elsewhere"),
    "OFFICE_OTHER_FILE": Finding("attachment", 0.5, "takes content from another file"),
    "OFFICE_NETWORK_SHARE": Finding(
        "attachment", 5.0, "leads to a file on a network share, which gives log-in data away"
    ),
    "OFFICE_ODD_PROTOCOL": Finding("attachment", 6.0, "leads to an address of a kind that starts a program"),
    # what it carries
    "OFFICE_PACKAGE": Finding("attachment", 2.0, "has a file inside that opens by a click"),
    "OFFICE_EMBEDDED_OBJECT": Finding("attachment", 0.3, "has an object of another program inside"),
    "OFFICE_LINKED_OBJECT": Finding("attachment", 1.0, "has an object inside that lies in another file"),
    "OFFICE_EQUATION": Finding(
        "attachment", 5.0, "has an object of the old equation editor inside, known for its weakness"
    ),
    "OFFICE_ACTIVEX": Finding("attachment", 2.0, "has an ActiveX control inside"),
    "OFFICE_OBJECT_UPDATES": Finding("attachment", 4.0, "loads an object inside as soon as it is opened"),
    "OFFICE_OBJECT_OBSCURED": Finding("attachment", 4.0, "writes an object inside in a way that hides it"),
    "OFFICE_FOREIGN_CHUNK": Finding("attachment", 1.0, "takes content from a part of another format"),
    "OFFICE_XML_ENTITIES": Finding("attachment", 5.0, "declares entities, which no office program writes"),
    # protection
    "OFFICE_ENCRYPTED": Finding("info", 0.0, "is encrypted"),
    "OFFICE_STANDARD_PASSWORD": Finding(
        "attachment", 3.0, "is encrypted by the password that Excel tries by itself, which only hides it from scanners"
    ),
}  # fmt: skip
