"""Findings of the family "container"."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.findings.finding import Finding

FINDINGS: Final[dict[str, Finding]] = {
    # two readings: what one program opens is not what the next one shows
    "CONTAINER_HEADERS_DISAGREE": Finding(
        "attachment", 5.0, "says two different things of a file in it, so that programs see different content"
    ),
    "CONTAINER_TWO_DIRECTORIES": Finding(
        "attachment", 5.0, "has two lists of its files, so that programs see different ones"
    ),
    "CONTAINER_TWO_TREES": Finding("attachment", 3.0, "shows other files to other systems"),
    "CONTAINER_HIDDEN_MEMBER": Finding("attachment", 5.0, "holds a file that the list of its files does not name"),
    "CONTAINER_SAME_NAME": Finding("attachment", 2.0, "holds two different files of one name"),
    "CONTAINER_BROKEN_DIRECTORY": Finding("attachment", 2.0, "has no whole list of its files"),
    "CONTAINER_PREPENDED": Finding("attachment", 1.0, "has other data before its beginning"),
    "CONTAINER_APPENDED": Finding("attachment", 1.0, "has other data after its end"),
    "CONTAINER_NUL_IN_NAME": Finding("attachment", 5.0, "holds a name that ends early for some programs"),
    # what harms whoever unpacks it
    "CONTAINER_PATH_TRAVERSAL": Finding("attachment", 5.0, "holds a name that points outside of its own folder"),
    "CONTAINER_LINK": Finding("attachment", 1.0, "holds a link in the place of a file"),
    "CONTAINER_DEVICE": Finding("attachment", 3.0, "holds a device in the place of a file"),
    "CONTAINER_OVERLAP": Finding("malware", 10.0, "holds files that overlap each other, as only bombs do"),
    "CONTAINER_QUINE": Finding("malware", 10.0, "holds itself, without an end"),
    "CONTAINER_SELF_EXTRACTING": Finding("attachment", 3.0, "is a program that unpacks what it carries"),
    "CONTAINER_BEHIND_OTHER": Finding("attachment", 5.0, "has a container behind it that other programs open"),
    # facts that policies may ask for
    "CONTAINER_ENCRYPTED": Finding("info", 0.0, "holds encrypted files"),
    "CONTAINER_HEADER_ENCRYPTED": Finding("info", 0.0, "hides even the names of the files in it"),
    "CONTAINER_PASSWORD_KNOWN": Finding("info", 0.0, "was opened by a password that the message or the site told"),
    "CONTAINER_SPLIT": Finding("info", 0.0, "is one piece of several"),
    "CONTAINER_DISK_IMAGE": Finding("attachment", 2.0, "is a picture of a disk, which escapes the mark of the web"),
}
