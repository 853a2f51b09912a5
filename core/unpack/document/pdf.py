"""PDF: what acts in it and what it carries, the text of its pages, what stands outside of it (ISO 32000-1)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pikepdf

from mxward.core.unpack.document import pdf_carve
from mxward.core.unpack.document.pdf_actions import text_of, walk
from mxward.core.unpack.document.pdf_text import read_pages
from mxward.core.unpack.work import Item, Work

MAX_TRIES: Final = 100  # passwords; each costs a few milliseconds by design
_FACTS: Final = {"/Title": "title", "/Author": "author", "/Subject": "subject", "/Creator": "creator",
                 "/Producer": "producer", "/Keywords": "keywords"}  # fmt: skip


def open_pdf(item: Item, work: Work) -> None:
    """Tell scripts, actions, links, embedded files, texts and codes. Never raises Damaged: what can be carved is."""
    _tell_outside(item, work)
    with _opened(item, work) as (pdf, password):
        if pdf is not None:
            _tell_facts(item, work, pdf)
            walk(item, work, pdf)
    if pdf is None and password is None:
        pdf_carve.carve(item, work, is_encrypted=True)
        return
    if pdf is None:
        pdf_carve.carve(item, work, is_encrypted=False)
    is_read = read_pages(item, work, password or "")
    if pdf is None:
        detail = "its objects are out of order" if is_read else "no PDF that can be read"
        work.unseen(item, "damaged", detail)
    else:
        if not is_read:
            work.unseen(item, "damaged", "its pages cannot be read")
        pdf_carve.compare(item, work)


@contextmanager
def _opened(item: Item, work: Work) -> Iterator[tuple[pikepdf.Pdf | None, str | None]]:
    """The document and its password; (None, "") when it is damaged, (None, None) when no password opens it."""
    for number, password in enumerate(("", *work.passwords[:MAX_TRIES])):
        work.purse.check_time()
        try:
            pdf = pikepdf.open(io.BytesIO(item.data), password=password)
        except pikepdf.PasswordError:
            continue
        except pikepdf.PdfError:
            yield None, ""
            return
        with pdf:
            if pdf.is_encrypted:
                work.find(item, "CONTAINER_PASSWORD_KNOWN" if number else "PDF_ENCRYPTED")
            yield pdf, password
        return
    work.find(item, "CONTAINER_ENCRYPTED")
    work.unseen(item, "encrypted", "no password is known")
    yield None, None


def _tell_facts(item: Item, work: Work, pdf: pikepdf.Pdf) -> None:
    info = pdf.trailer.get("/Info")
    if not isinstance(info, pikepdf.Dictionary):
        return
    for key, name in _FACTS.items():
        value = info.get(key)
        if isinstance(value, pikepdf.String):
            work.fact(item, name, text_of(value))


def _tell_outside(item: Item, work: Work) -> None:
    """What stands before the header and after the last end mark."""
    data = item.data
    start = data.find(b"%PDF-", 0, 1024 + 5)
    if start > 0 and data[:start].strip(b"\0\t\n\f\r \xef\xbb\xbf"):
        work.find(item, "CONTAINER_PREPENDED")
        work.child(item, data[:start], "before the document")
    end = data.rfind(b"%%EOF")
    if end < 0:
        return
    rest = data[end + 5 :]
    if len(rest.strip(b"\0\t\n\f\r ")) >= _MIN_REST and not _CONTINUES.search(rest):
        work.find(item, "CONTAINER_APPENDED")
        work.child(item, rest.lstrip(b"\r\n"), "after the document")


_MIN_REST: Final = 16  # bytes after the end that are more than an oversight
_CONTINUES: Final = re.compile(rb"\bendobj\b|\bstartxref\b")  # an update whose end mark is missing
