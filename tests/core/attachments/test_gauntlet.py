"""A canary in every carrier, at every depth, under every name and encoding: found, or said not to have been inspected.

The carriers are made by libraries that are not ours (tests/lib/mxtest/carriers.py). Nothing may come out clean.
"""

from __future__ import annotations

import io
import random
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from PIL import Image, ImageDraw, ImageFont

from mxtest import carriers, mailkit
from mxtest.carriers import CARRIERS, DOCUMENTS, LOCKED, file_name
from mxtest.openkit import HereOpener
from mxward.bindings.tesseract import TesseractMissing
from mxward.core.message import Message
from mxward.core.pipeline import Pipeline, load_pipeline
from mxward.core.unpack.image import ocr

CANARY = b"MXWARD-CANARY-" + b"f3b1c9d27e"
CONTENT = b"something before " + CANARY + b" something after " + bytes(range(256))
RULE = 'rule Canary { meta: category = "malware" weight = 20 strings: $a = "MXWARD-CANARY-" ascii condition: $a }\n'
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
ALL = {**CARRIERS, **DOCUMENTS}
LIES = [
    "picture.jpg",
    "letter.docx",
    "noname",
    "data.bin",
    "a.tar.gz.txt",
    "\u202egpj.exe",
    "x." * 40 + "pdf",
    "UPPER.ZIP",
]
ENCODINGS = ["base64", "quoted-printable", "8bit", "uuencode"]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("gauntlet")
    pack = folder / "rules" / "canary"
    pack.mkdir(parents=True)
    (pack / "pack.toml").write_text('name = "canary"\nversion = "1.0"\ndescription = "the canary of the gauntlet"\n')
    (pack / "canary.yar").write_text(RULE)
    return load_pipeline(folder, opener=HereOpener())


def mail(data: bytes, name: str, text: str = "See the file.\r\n", subject: str = "A file") -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = "a@partner.example", "b@trust.example", subject
    message.set_content(text)
    message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return bytes(message)


def encoded(data: bytes, name: str, encoding: str) -> bytes:
    """The attachment in another transfer encoding, written by hand."""
    import binascii

    head = mailkit.HEAD.format(subject="A file") + 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
    head += f'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="{name}"\r\n'
    if encoding == "quoted-printable":
        body = binascii.b2a_qp(data, istext=False).replace(b"\n", b"\r\n")
    elif encoding == "uuencode":
        lines = [binascii.b2a_uu(data[i : i + 45]).rstrip(b"\n") for i in range(0, len(data), 45)]
        body = b"begin 644 " + name.encode() + b"\r\n" + b"\r\n".join(lines) + b"\r\n`\r\nend"
    else:
        encoding, body = "base64", binascii.b2a_base64(data, newline=False)
        body = b"\r\n".join(body[i : i + 76] for i in range(0, len(body), 76))
    return (head + f"Content-Transfer-Encoding: {encoding}\r\n\r\n").encode() + body + b"\r\n--b--\r\n"


def judged(pipeline: Pipeline, raw: bytes) -> Message:
    return pipeline.judge(raw, mailkit.envelope())


def is_found(message: Message) -> bool:
    return any(hit.name in ("Canary", "EICAR_TEST") for hit in message.hits)


def what(message: Message) -> str:
    reasons = [(n.reason, n.detail) for n in message.not_inspected]
    return f"{[hit.name for hit in message.hits]} {reasons} {[(p.true_type, p.names) for p in message.parts]}"


@pytest.mark.parametrize("kind", sorted(ALL))
def test_the_canary_is_found_in_every_carrier(kind: str, pipeline: Pipeline) -> None:
    message = judged(pipeline, mail(ALL[kind](CONTENT, "canary.bin"), file_name(kind)))
    assert is_found(message), what(message)


@pytest.mark.parametrize("kind", sorted(ALL))
def test_the_test_file_of_all_virus_scanners_is_found_in_every_carrier(kind: str, pipeline: Pipeline) -> None:
    message = judged(pipeline, mail(ALL[kind](EICAR, "eicar.com"), file_name(kind)))
    assert is_found(message), what(message)


@pytest.mark.parametrize("name", LIES)
def test_names_deceive_nobody(name: str, pipeline: Pipeline) -> None:
    for kind in ("zip.deflated", "7z", "tar.ustar", "gz", "docx", "pdf", "rtf", "eml"):
        message = judged(pipeline, mail(ALL[kind](CONTENT, name), name))
        assert is_found(message), f"{kind}: {what(message)}"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_transfer_encodings_hide_nothing(encoding: str, pipeline: Pipeline) -> None:
    for kind in ("zip.deflated", "7z", "docx", "pdf"):
        message = judged(pipeline, encoded(ALL[kind](CONTENT, "canary.bin"), file_name(kind), encoding))
        assert is_found(message), f"{kind}: {what(message)}"


@pytest.mark.parametrize("depth", range(1, 9))
def test_the_canary_is_found_at_every_depth(depth: int, pipeline: Pipeline) -> None:
    dice = random.Random(depth)
    for _ in range(6):
        data, name, way = CONTENT, "canary.bin", []
        for _ in range(depth):
            # a disk image is not small: one of them on the way is enough
            kinds = sorted(CARRIERS.keys() - ({"iso"} if "iso" in way else set()))
            kind = dice.choice(kinds)
            data, name = CARRIERS[kind](data, name), file_name(kind)
            way.append(kind)
        message = judged(pipeline, mail(data, name))
        assert is_found(message), f"{way}: {what(message)}"


def test_every_carrier_is_found_inside_every_other(pipeline: Pipeline) -> None:
    dice = random.Random(5)
    missed = []
    for outer in sorted(CARRIERS):
        for inner in dice.sample(sorted(ALL), 6):
            data = CARRIERS[outer](ALL[inner](CONTENT, "canary.bin"), file_name(inner))
            message = judged(pipeline, mail(data, file_name(outer)))
            if not is_found(message):
                missed.append((outer, inner, what(message)))
    assert missed == []


def test_what_is_nested_too_deep_is_said(pipeline: Pipeline) -> None:
    data = CONTENT
    for _ in range(40):
        data = CARRIERS["gz"](data, "x")
    message = judged(pipeline, mail(data, "x.gz"))
    assert "limit:depth" in [n.reason for n in message.not_inspected]


@pytest.mark.parametrize("kind", sorted(LOCKED))
@pytest.mark.parametrize("place", ["body", "subject", "name", "nowhere"])
def test_a_password_is_found_where_people_write_it(kind: str, place: str, pipeline: Pipeline) -> None:
    data = LOCKED[kind](CONTENT, "canary.bin", "Winter-2026!")
    text = "The password is Winter-2026!\r\n" if place == "body" else "See the file.\r\n"
    subject = "Results, password Winter-2026!" if place == "subject" else "Results"
    name = f"results_Winter-2026!.{file_name(kind).rpartition('.')[2]}" if place == "name" else file_name(kind)
    message = judged(pipeline, mail(data, name, text, subject))
    if place == "nowhere":
        assert not is_found(message)
        assert "encrypted" in [n.reason for n in message.not_inspected], what(message)
    else:
        assert is_found(message), what(message)
        assert "encrypted" not in [n.reason for n in message.not_inspected]


@pytest.mark.parametrize("kind", sorted(LOCKED))
def test_what_is_locked_at_depth_is_said(kind: str, pipeline: Pipeline) -> None:
    inner = LOCKED[kind](CONTENT, "canary.bin", "nobody-knows")
    message = judged(
        pipeline, mail(CARRIERS["tar.gnu"](CARRIERS["zip.deflated"](inner, file_name(kind)), "a.zip"), "a.tar")
    )
    assert "encrypted" in [n.reason for n in message.not_inspected], what(message)


@pytest.mark.parametrize("kind", sorted(CARRIERS))
def test_a_torn_carrier_is_never_clean(kind: str, pipeline: Pipeline) -> None:
    """Cut in its middle: the canary is found all the same, or something is said not to have been inspected."""
    padding = carriers.noise(3000)
    whole = CARRIERS[kind](padding + CONTENT + padding, "canary.bin")
    at = whole.index(padding[:64]) + 1500 if padding[:64] in whole else len(whole) // 3
    message = judged(pipeline, mail(whole[:at], file_name(kind)))
    assert is_found(message) or message.not_inspected, what(message)


def test_a_password_in_a_picture_opens_what_is_locked(pipeline: Pipeline) -> None:
    try:
        ocr.switch_on()
    except TesseractMissing as error:
        pytest.skip(str(error))
    try:
        shown = Image.new("L", (700, 160), 255)
        ImageDraw.Draw(shown).text((20, 40), "The password is Winter2026", font=ImageFont.load_default(32), fill=0)
        out = io.BytesIO()
        shown.save(out, "PNG")
        for kind in sorted(LOCKED):
            raw = mail(LOCKED[kind](CONTENT, "canary.bin", "Winter2026"), file_name(kind))
            message = message_from_bytes(raw, policy=policy.SMTP)
            assert isinstance(message, EmailMessage)
            message.add_attachment(out.getvalue(), maintype="image", subtype="png", filename="note.png")
            assert is_found(judged(pipeline, bytes(message))), kind
    finally:
        ocr.switch_off()
