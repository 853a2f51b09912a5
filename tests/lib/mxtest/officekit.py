"""Office documents for tests, built part by part: LibreOffice reads them, and what acts is there where asked for."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MS = "http://schemas.microsoft.com/office/2006/relationships"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = f'xmlns:r="{_REL}"'
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def zipped(parts: Mapping[str, str | bytes], stored: str = "") -> bytes:
    """A zip of these parts in this order; `stored` names one that is not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            method = zipfile.ZIP_STORED if name == stored else zipfile.ZIP_DEFLATED
            package.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def relations(*rows: tuple[str, str, str, bool]) -> str:
    """A table of (id, type, target, is external); a type without scheme is one of the standard ones."""
    listed = "".join(
        f'<Relationship Id="{i}" Type="{t if "://" in t else f"{_REL}/{t}"}" Target="{target}"'
        + (' TargetMode="External"' if outside else "")
        + "/>"
        for i, t, target, outside in rows
    )
    return f'{HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{listed}</Relationships>'


def docx(
    text: str = "Hello from the ward", *, macro: bytes = b"", template: str = "", field: str = "", link: str = "",
    embedded: bytes = b"",
) -> bytes:  # fmt: skip
    """A Word document of one paragraph. Args: macro: vbaProject.bin; template: remote template; field: an instruction;
    link: target of a hyperlink; embedded: an OLE object.
    """
    main = f"{_WORD}.document.main+xml"
    rows: list[tuple[str, str, str, bool]] = []
    parts: dict[str, str | bytes] = {}
    types = ""
    if macro:
        main = "application/vnd.ms-word.document.macroEnabled.main+xml"
        rows.append(("rIdVba", f"{_MS}/vbaProject", "vbaProject.bin", False))
        parts["word/vbaProject.bin"] = macro
        types += '<Override PartName="/word/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/>'
    if template:
        parts["word/settings.xml"] = f'{HEAD}<w:settings {_W} {_R}><w:attachedTemplate r:id="rIdT"/></w:settings>'
        parts["word/_rels/settings.xml.rels"] = relations(("rIdT", "attachedTemplate", template, True))
        rows.append(("rIdS", "settings", "settings.xml", False))
        types += f'<Override PartName="/word/settings.xml" ContentType="{_WORD}.settings+xml"/>'
    body = f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
    if field:
        half = 3  # inside the word
        body += (
            '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
            f'<w:r><w:instrText xml:space="preserve">{field[:half]}</w:instrText></w:r>'
            f'<w:r><w:instrText xml:space="preserve">{field[half:]}</w:instrText></w:r>'
            '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>shown</w:t></w:r>'
            '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
        )
    if link:
        rows.append(("rIdL", "hyperlink", link, True))
        body += '<w:p><w:hyperlink r:id="rIdL"><w:r><w:t>a link</w:t></w:r></w:hyperlink></w:p>'
    if embedded:
        rows.append(("rIdO", "oleObject", "embeddings/oleObject1.bin", False))
        parts["word/embeddings/oleObject1.bin"] = embedded
        types += '<Default Extension="bin" ContentType="application/vnd.openxmlformats-officedocument.oleObject"/>'
        body += (
            '<w:p><w:r><w:object><o:OLEObject xmlns:o="urn:schemas-microsoft-com:office:office" Type="Embed" '
            'ProgID="Package" r:id="rIdO"/></w:object></w:r></w:p>'
        )
    content_types = (
        f'{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{types}'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
    )
    return zipped(
        {
            "[Content_Types].xml": content_types,
            "_rels/.rels": relations(("rId1", "officeDocument", "word/document.xml", False)),
            "word/document.xml": f"{HEAD}<w:document {_W} {_R}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": relations(*rows),
            **parts,
        }
    )


def odt(text: str = "Hello from the ward", *, macro: str = "", listener: bool = False, picture: str = "") -> bytes:
    """An OpenDocument text. Args: macro: a Basic module; listener: a macro on opening; picture: a remote picture."""
    names = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
        'xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    scripts = "<office:scripts/>"
    if listener:
        scripts = (
            '<office:scripts><office:event-listeners><script:event-listener script:language="ooo:script" '
            'script:event-name="dom:load" xlink:href="vnd.sun.star.script:Standard.M.Main?language=Basic&amp;location='
            'document" xlink:type="simple"/></office:event-listeners></office:scripts>'
        )
    shown = f'<text:p><draw:frame><draw:image xlink:href="{picture}" xlink:type="simple"/></draw:frame></text:p>'
    content = (
        f'{HEAD}<office:document-content {names} office:version="1.3">{scripts}<office:body><office:text>'
        f"<text:p>{text}</text:p>{shown if picture else ''}</office:text></office:body></office:document-content>"
    )
    media = "application/vnd.oasis.opendocument.text"
    listed = ["content.xml", *(["Basic/Standard/M.xml", "Basic/Standard/script-lb.xml"] if macro else [])]
    rows = "".join(f'<manifest:file-entry manifest:full-path="{n}" manifest:media-type="text/xml"/>' for n in listed)
    manifest = (
        f'{HEAD}<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        f'manifest:version="1.3"><manifest:file-entry manifest:full-path="/" manifest:media-type="{media}"/>{rows}'
        "</manifest:manifest>"
    )
    parts: dict[str, str | bytes] = {"mimetype": media, "content.xml": content}
    if macro:
        parts["Basic/Standard/M.xml"] = f"{HEAD}<module>{macro}</module>"
        parts["Basic/Standard/script-lb.xml"] = f"{HEAD}<library/>"
    return zipped({**parts, "META-INF/manifest.xml": manifest}, stored="mimetype")
