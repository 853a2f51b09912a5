"""What acts in a PDF, and what it carries: scripts, actions, links, embedded files, forms (ISO 32000-1, 7.11, 12.6).

Every object of the file is looked at, whether something refers to it or not: a viewer may repair its way to it.
"""

from __future__ import annotations

import re
from typing import Final

import pikepdf

from mxward.core.unpack.document.pdf_stream import decoded
from mxward.core.unpack.work import Damaged, Item, Work

MAX_OBJECTS: Final = 100_000
MAX_NESTING: Final = 60
# an object without one of these names is not looked into
TELLING: Final = re.compile(
    rb"/(?:JS|JavaScript|Launch|URI|SubmitForm|ImportData|GoToR|GoToE|EF|EmbeddedFile|XFA|RichMedia\w*|Movie|Sound|Screen|3D"
    rb"|OpenAction|AA|Rendition)(?![A-Za-z0-9])"
)
_ACTIONS: Final = {
    "/Launch": "PDF_LAUNCH", "/SubmitForm": "PDF_SUBMITS", "/ImportData": "PDF_IMPORTS", "/GoToR": "PDF_OTHER_FILE",
    "/GoToE": "PDF_OTHER_FILE", "/JavaScript": "PDF_SCRIPT",
}  # fmt: skip
_MEDIA: Final = frozenset(("/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"))
# what scripts of PDF do that is more than sums and dates of forms
_REACHING: Final = re.compile(
    rb"exportDataObject|launchURL|getURL|submitForm|mailMsg|mailDoc|importDataObject|\beval\s*\(|unescape\s*\("
    rb"|fromCharCode|SOAP|getAnnots|Collab|spell\.customDictionaryOpen|media\.newPlayer|printSeps|openDoc"
)


def walk(item: Item, work: Work, pdf: pikepdf.Pdf) -> None:
    """Tell of all objects. Raises: OverBudget."""
    look = _Look(item, work)
    for number, thing in enumerate(pdf.objects):
        if number >= MAX_OBJECTS:
            work.unseen(item, "limit:parts", f"more than {MAX_OBJECTS} objects")
            break
        if number % 256 == 0:
            work.purse.check_time()
        if isinstance(thing, pikepdf.Object) and TELLING.search(_written(thing)):
            look.at(thing)
    look.at_orphans()
    _at_opening(item, work, pdf)


def _written(thing: pikepdf.Object) -> bytes:
    if isinstance(thing, pikepdf.Stream):
        return thing.stream_dict.unparse(resolved=True)
    return thing.unparse(resolved=True)


def _at_opening(item: Item, work: Work, pdf: pikepdf.Pdf) -> None:
    """Does something start without a click? Document scripts and an open action do."""
    names = pdf.Root.get("/Names")
    scripts = names.get("/JavaScript") if isinstance(names, pikepdf.Dictionary) else None
    opening = pdf.Root.get("/OpenAction")
    action = opening.get("/S") if isinstance(opening, pikepdf.Dictionary) else None
    if scripts is not None or (action is not None and str(action) in _ACTIONS) or "/AA" in pdf.Root:
        work.find(item, "PDF_STARTS_ALONE")


class _Look:
    """One PDF being walked."""

    def __init__(self, item: Item, work: Work) -> None:
        self._item, self._work = item, work
        self._done: set[tuple[int, int]] = set()  # streams that were given
        self._files: list[pikepdf.Stream] = []  # streams that call themselves embedded files

    def at(self, thing: object, depth: int = 0) -> None:
        """Look into an object and what is written inside it, not at what it refers to: that has its own turn."""
        if depth > MAX_NESTING:
            raise Damaged("an object nested too deep")
        if isinstance(thing, pikepdf.Stream):
            if str(thing.get("/Type", "")) == "/EmbeddedFile":
                self._files.append(thing)
            thing = thing.stream_dict
        if isinstance(thing, pikepdf.Dictionary):
            self._dictionary(thing)
            inner = [thing.get(key) for key in thing.keys()]  # noqa: SIM118 - iterating it gives its values' pages
        elif isinstance(thing, pikepdf.Array):
            inner = list(thing)
        else:
            return
        for one in inner:
            if isinstance(one, pikepdf.Array | pikepdf.Dictionary) and not one.is_indirect:
                self.at(one, depth + 1)

    def _dictionary(self, thing: pikepdf.Dictionary) -> None:
        action = str(thing.get("/S", ""))
        if action in _ACTIONS:
            self._action(action, thing)
        if "/JS" in thing:
            self._script(thing["/JS"])
        url = thing.get("/URI")
        if isinstance(url, pikepdf.String):
            self._work.address(self._item, "pdf", text_of(url))
        if isinstance(thing.get("/EF"), pikepdf.Dictionary):
            self._give_files(thing)
        if "/XFA" in thing:
            self._forms(thing["/XFA"])
        if str(thing.get("/Subtype", "")) in _MEDIA:
            self._work.find(self._item, "PDF_MEDIA")

    def _action(self, action: str, thing: pikepdf.Dictionary) -> None:
        self._work.find(self._item, _ACTIONS[action])
        for target in _targets(thing):
            if target.startswith(("\\\\", "//", "file:")):
                self._work.find(self._item, "PDF_NETWORK_SHARE")
            if "://" in target or target.startswith(("\\\\", "//", "www.")):
                self._work.address(self._item, "pdf", target)
            elif action == "/Launch":
                self._work.text(self._item, target + "\n")

    def _script(self, code: object) -> None:
        source = self._content(code)
        if source is None:
            return
        self._work.find(self._item, "PDF_SCRIPT")
        plain = source.encode("utf-8", "replace") if isinstance(source, str) else narrow(source)
        if _REACHING.search(plain):
            self._work.find(self._item, "PDF_SCRIPT_REACHES_OUT")
        self._work.child(self._item, plain, "script.js", content_type="application/javascript", charset="utf-8")

    def _give_files(self, spec: pikepdf.Dictionary) -> None:
        names = [text_of(spec[key]) for key in ("/UF", "/F", "/Unix", "/DOS", "/Mac", "/Desc")
                 if isinstance(spec.get(key), pikepdf.String)]  # fmt: skip
        for _, stream in sorted(spec["/EF"].items()):
            if not isinstance(stream, pikepdf.Stream) or self._is_done(stream):
                continue
            self._give_file(stream, list(dict.fromkeys(names)))

    def at_orphans(self) -> None:
        """Give embedded files that nothing names."""
        for stream in self._files:
            if not self._is_done(stream):
                self._give_file(stream, [])

    def _give_file(self, stream: pikepdf.Stream, names: list[str]) -> None:
        self._work.find(self._item, "PDF_EMBEDDED_FILE")
        kind = str(stream.get("/Subtype", "/")).removeprefix("/")
        try:
            content = decoded(stream, self._work)
        except (Damaged, pikepdf.PdfError):
            self._work.listed(self._item, names[0] if names else "file")
            self._work.unseen(self._item, "damaged", "an embedded file that cannot be decoded")
            return
        self._work.child(self._item, content, *names, content_type=kind if "/" in kind else "")

    def _forms(self, value: object) -> None:
        self._work.find(self._item, "PDF_XFA")
        for one in value if isinstance(value, pikepdf.Array) else [value]:
            content = self._content(one) if isinstance(one, pikepdf.Stream) else None
            if isinstance(content, bytes):
                self._work.child(self._item, content, "form.xml", content_type="text/xml")

    def _content(self, value: object) -> bytes | str | None:
        if isinstance(value, pikepdf.String):
            return text_of(value)
        if not isinstance(value, pikepdf.Stream) or self._is_done(value):
            return None
        try:
            return decoded(value, self._work)
        except (Damaged, pikepdf.PdfError):
            self._work.unseen(self._item, "damaged", "a stream that cannot be decoded")
            return None

    def _is_done(self, stream: pikepdf.Stream) -> bool:
        if stream.objgen in self._done:
            return True
        self._done.add(stream.objgen)
        return False


def _targets(action: pikepdf.Dictionary) -> list[str]:
    """What an action leads to: files, addresses, commands with their parameters."""
    found: list[str] = []
    for value in (action.get("/F"), action.get("/Win"), action.get("/Unix"), action.get("/Mac")):
        if isinstance(value, pikepdf.String):
            found.append(text_of(value))
        elif isinstance(value, pikepdf.Dictionary):
            words = [text_of(value[key]) for key in ("/F", "/UF", "/P", "/D")
                     if isinstance(value.get(key), pikepdf.String)]  # fmt: skip
            found += [" ".join(dict.fromkeys(words))] if words else []
    return found


def text_of(value: pikepdf.Object) -> str:
    """A text string: UTF-16 or UTF-8 by its mark, else PDFDocEncoding."""
    try:
        return str(value)
    except (UnicodeError, ValueError):
        return bytes(value).decode("latin-1")


def narrow(source: bytes) -> bytes:
    """Scripts in UTF-16 as UTF-8; others as they are."""
    if source.startswith((b"\xfe\xff", b"\xff\xfe")):
        return source.decode("utf-16", "replace").encode()
    return source
