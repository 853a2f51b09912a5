"""PDF without scripts, actions that start something, embedded files, media and XFA forms (ISO 32000-1, 12.6, 7.7.3).

Links to web pages stay: they wait for a click.
"""

from __future__ import annotations

import io
from typing import Final

import pikepdf

from mxward.core.unpack.budget import OverBudget
from mxward.core.unpack.work import Damaged, Item, Work

MAX_OBJECTS: Final = 200_000
_ACTIONS: Final = frozenset((
    "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition", "/RichMediaExecute",
    "/Movie", "/Sound", "/SetOCGState", "/Hide", "/ResetForm", "/Trans", "/GoTo3DView", "/Thread",
))  # fmt: skip
_ANNOTATIONS: Final = frozenset(("/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"))
_KEYS: Final = ("/AA", "/JS", "/RichMediaContent", "/RichMediaSettings", "/XFA", "/EF")
_OF_CATALOGUE: Final = ("/OpenAction", "/AA", "/URI", "/Collection", "/AF", "/NeedsRendering")
_OF_NAMES: Final = ("/JavaScript", "/EmbeddedFiles", "/Renditions", "/AlternatePresentations")
_DEAD_SCHEMES: Final = ("javascript:", "file:", "data:", "vbscript:", "ms-", "search-ms:")


def disarm_pdf(item: Item, work: Work) -> bytes | None:
    """The document without what acts, or None when nothing in it does. Raises: Damaged, OverBudget."""
    try:
        with pikepdf.open(io.BytesIO(item.data)) as pdf:
            if len(pdf.objects) > MAX_OBJECTS:
                raise OverBudget("limit:parts", f"more than {MAX_OBJECTS} objects")
            if not _clean(pdf, work):
                return None
            out = io.BytesIO()
            pdf.remove_unreferenced_resources()
            pdf.save(out, encryption=False)
    except pikepdf.PasswordError as error:
        raise Damaged("an encrypted document") from error
    except pikepdf.PdfError as error:
        raise Damaged("no PDF that can be read") from error
    safe = out.getvalue()
    work.purse.spend_bytes(len(safe))
    return safe


def _clean(pdf: pikepdf.Pdf, work: Work) -> bool:
    """Every object is looked at, whether something refers to it or not: a viewer may repair its way to it."""
    root = pdf.Root
    changed = _drop(root, _OF_CATALOGUE)
    names = root.get("/Names")
    if isinstance(names, pikepdf.Dictionary):
        changed |= _drop(names, _OF_NAMES)
    for number, thing in enumerate(pdf.objects):
        if number % 256 == 0:
            work.purse.check_time()
        changed |= _clean_object(thing)
    return changed


def _clean_object(thing: pikepdf.Object, depth: int = 0) -> bool:
    """Clean a dictionary or array and what is written inside it, not what it refers to."""
    if depth > 100:
        raise Damaged("an object nested too deep")
    if isinstance(thing, pikepdf.Stream):
        return _clean_dictionary(thing.stream_dict, depth)
    if isinstance(thing, pikepdf.Dictionary):
        return _clean_dictionary(thing, depth)
    if isinstance(thing, pikepdf.Array):
        changed = False
        for inner in thing:
            if isinstance(inner, pikepdf.Object) and not inner.is_indirect:
                changed |= _clean_object(inner, depth + 1)
        return changed
    return False


def _clean_dictionary(thing: pikepdf.Dictionary, depth: int) -> bool:
    changed = _drop(thing, _KEYS)
    if _is_bad_action(thing):
        thing["/S"] = pikepdf.Name("/NOP")  # an action of no known type does nothing
        changed |= _drop(thing, ("/F", "/JS", "/Win", "/URI", "/Next", "/D", "/R")) or True
    if str(thing.get("/Subtype", "")) in _ANNOTATIONS:
        thing["/Subtype"] = pikepdf.Name("/Text")
        _drop(thing, ("/FS", "/A", "/Movie", "/Sound"))
        changed = True
    for key in list(thing.keys()):
        inner = thing.get(key)
        if isinstance(inner, pikepdf.Object) and not inner.is_indirect:
            changed |= _clean_object(inner, depth + 1)
    return changed


def _is_bad_action(thing: pikepdf.Dictionary) -> bool:
    kind = thing.get("/S")
    if not isinstance(kind, pikepdf.Name):
        return False
    if str(kind) == "/URI":
        return str(thing.get("/URI", "")).strip().lower().startswith(_DEAD_SCHEMES)
    # /S is also the key of transparency groups, structure elements and page labels: their names are others
    return str(kind) in _ACTIONS


def _drop(thing: pikepdf.Object, keys: tuple[str, ...]) -> bool:
    found = [key for key in keys if key in thing]
    for key in found:
        del thing[key]
    return bool(found)
