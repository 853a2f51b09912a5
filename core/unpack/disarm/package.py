"""A document that is a zip of parts, read whole under the budget and written anew from the parts that stay."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Final

from lxml import etree

from mxward.core.unpack.budget import OverBudget
from mxward.core.unpack.work import Damaged, Item, Work

MAX_PARTS: Final = 5_000
_CHUNK: Final = 1 << 16
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_parts(item: Item, work: Work) -> dict[str, bytes]:
    """Every part by its name, in the order of the package.

    Raises: Damaged for what is no plain zip (encrypted, a name twice, an odd method): such a document is not repaired;
    OverBudget.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(item.data)) as package:
            infos = package.infolist()
            if len(infos) > MAX_PARTS:
                raise OverBudget("limit:parts", f"more than {MAX_PARTS} parts")
            found: dict[str, bytes] = {}
            for info in infos:
                if info.filename in found or info.flag_bits & 0x41 or info.compress_type not in _METHODS:
                    raise Damaged("a package that programs read differently")
                found[info.filename] = _read(package, info, work)
            return found
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise Damaged("no zip that can be read") from error


def _read(package: zipfile.ZipFile, info: zipfile.ZipInfo, work: Work) -> bytes:
    with package.open(info) as stream:
        data = work.pull(iter(lambda: stream.read(_CHUNK), b""))
    work.purse.spend_bytes(len(data))
    return data


def write_parts(parts: Mapping[str, bytes], stored: str = "") -> bytes:
    """A zip of these parts. Args: stored: the part that must not be compressed, and is written first (ODF)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name in sorted(parts, key=lambda name: name != stored):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name == stored else zipfile.ZIP_DEFLATED
            package.writestr(info, parts[name])
    return out.getvalue()


def parse_xml(data: bytes) -> etree._Element:
    """The root element. Nothing is fetched, no entity expanded. Raises: Damaged, also where entities are declared."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Damaged("a part that is no well-formed XML") from error
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and next(dtd.iterentities(), None) is not None:
        raise Damaged("a part that declares entities")
    return root


def write_xml(root: etree._Element) -> bytes:
    """The document of that root, in UTF-8 with its declaration."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
