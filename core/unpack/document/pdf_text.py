"""The text of the pages of a PDF, and what codes on them say, by PDFium."""

from __future__ import annotations

import contextlib
import ctypes
from typing import Final

import pypdfium2  # type: ignore[import-untyped]  # it ships no types
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]  # it ships no types

from mxward.core.unpack.image.barcode import read_codes, tell_codes
from mxward.core.unpack.work import MAX_TEXT, Item, Work

MAX_PAGES: Final = 500
MAX_DRAWN: Final = 4  # pages on which codes are looked for
MAX_PAGE_OBJECTS: Final = 5_000  # looked at to see whether a page may show a code
_LONG_SIDE: Final = 1500  # pixels of a page that is drawn: 4 to each module of a code of 3 cm on A4
_MIN_IMAGE: Final = 20  # pixels
_MIN_SEGMENTS: Final = 150  # of paths: a code drawn by lines has a few hundred


def read_pages(item: Item, work: Work, password: str) -> bool:
    """Tell the text of all pages and of their codes. Returns: False when PDFium cannot read it. Raises: OverBudget."""
    try:
        document = pypdfium2.PdfDocument(item.data, password=password or None)
    except pypdfium2.PdfiumError:
        return False
    with contextlib.closing(document):
        n_pages = len(document)
        if n_pages > MAX_PAGES:
            work.unseen(item, "limit:parts", f"more than {MAX_PAGES} pages")
        n_text = n_drawn = 0
        for number in range(min(n_pages, MAX_PAGES)):
            work.purse.check_time()
            with contextlib.suppress(pypdfium2.PdfiumError):
                page = document[number]
                n_text += _tell_text(item, work, page)
                if n_drawn < MAX_DRAWN and _may_show_code(page):
                    n_drawn += 1
                    tell_codes(item, work, _codes(page))
                page.close()
            if n_text > MAX_TEXT:
                work.unseen(item, "limit:bytes", "more text than is looked at")
                break
    return True


def _tell_text(item: Item, work: Work, page: pypdfium2.PdfPage) -> int:
    with contextlib.closing(page.get_textpage()) as textpage:
        said = textpage.get_text_range()
    text = said.replace("\r\n", "\n").replace("\ufffe", "").strip("\0")
    if text.strip():
        work.text(item, text + "\n")
    return len(text)


def _may_show_code(page: pypdfium2.PdfPage) -> bool:
    """Has the page a picture that is no mere line, or lines enough to draw a code?"""
    n_segments = 0
    for number in range(min(pdfium.FPDFPage_CountObjects(page), MAX_PAGE_OBJECTS)):
        thing = pdfium.FPDFPage_GetObject(page, number)
        kind = pdfium.FPDFPageObj_GetType(thing)
        if kind == pdfium.FPDF_PAGEOBJ_FORM:
            return True  # a picture with content of its own
        if kind == pdfium.FPDF_PAGEOBJ_PATH:
            n_segments += pdfium.FPDFPath_CountSegments(thing)
            if n_segments >= _MIN_SEGMENTS:
                return True
        elif kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            wide, high = ctypes.c_uint(), ctypes.c_uint()
            if pdfium.FPDFImageObj_GetImagePixelSize(thing, wide, high) and min(wide.value, high.value) >= _MIN_IMAGE:
                return True
    return False


def _codes(page: pypdfium2.PdfPage) -> list[str]:
    wide, high = page.get_size()
    longest = max(wide, high)
    if not 0 < longest < 1e6 or min(wide, high) <= 0:
        return []
    bitmap = page.render(scale=_LONG_SIDE / longest, grayscale=True, may_draw_forms=False)
    with contextlib.closing(bitmap):
        pixels = memoryview(bytes(bitmap.buffer)).cast("B", (bitmap.height, bitmap.stride))
        return read_codes(pixels)
