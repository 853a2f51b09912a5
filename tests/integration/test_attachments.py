"""Attachments through the running product: opened in the sandbox, disarmed on the way, the original in quarantine."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from mxtest import carriers, officekit
from mxtest.clamav import CANARY, ClamdServer
from mxtest.product import Product
from mxtest.sender import Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
VBA = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
REFUSED = "5.7.1 This message contains malware and was refused"
POLICY = """
name = "attachments"

[[policy_rule]]
name = "reject-malware"
when = { verdict = "malware" }
action = "reject"
reply = "550 5.7.1 This message contains malware and was refused"

[[policy_rule]]
name = "locked"
when = { not_inspected = "encrypted" }
action = "quarantine"
area = "locked"

[[policy_rule]]
name = "disarm"
when = { attachment_name = ["*.docm", "*.pdf"] }
action = "deliver"
add = [{ modify = "disarm" }]
"""


def mail(data: bytes, name: str, text: str = "See the file.\r\n") -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = "a@partner.example", "b@trust.example", "A file"
    message.set_content(text)
    message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return bytes(message)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("attachments")
    product = Product(folder)
    product.data.mkdir()
    (product.data / "policy.toml").write_text(POLICY)
    with product:
        yield product


def send(product: Product, raw: bytes) -> str:
    """The refusal, or ""."""
    with Client(product.inbound) as client:
        result = client.transact("a@partner.example", ["b@trust.example"], raw)
    return str(result.refusal or "")


def delivered(product: Product) -> list[Path]:
    product.wait_settled()
    return sorted((product.data / "maildir" / "trust.example" / "b" / "new").glob("*"))


def listed(product: Product, area: str) -> list[str]:
    done = product.mx("quarantine", "list", "--area", area, "--json", check=True)
    return [json.loads(line)["queue_id"] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("kind", ["zip.deflated", "7z", "tar.gnu", "iso", "docx", "pdf", "tnef", "rtf"])
def test_what_is_in_an_attachment_is_found(kind: str, product: Product) -> None:
    inner = carriers.CARRIERS["gz"](EICAR, "eicar.com")
    build = {**carriers.CARRIERS, **carriers.DOCUMENTS}[kind]
    assert REFUSED in send(product, mail(build(inner, "eicar.com.gz"), carriers.file_name(kind)))


def test_a_password_in_the_text_opens_and_without_it_the_message_is_kept(product: Product) -> None:
    locked = carriers.zip_aes(EICAR, "eicar.com", "Winter2026")
    assert REFUSED in send(product, mail(locked, "a.zip", "The password is Winter2026\r\n"))
    before = listed(product, "locked")
    assert send(product, mail(locked, "a.zip")) == ""
    assert len(listed(product, "locked")) == len(before) + 1


def test_a_document_comes_disarmed_and_its_original_can_be_released(product: Product) -> None:
    raw = mail(officekit.docx("Dear colleague", macro=VBA), "letter.docm")
    n_before, kept_before = len(delivered(product)), listed(product, "originals")
    assert send(product, raw) == ""
    new = delivered(product)
    assert len(new) == n_before + 1
    (attachment,) = read(new[-1].read_bytes()).iter_attachments()
    assert attachment.get_filename() == "letter.docx"
    assert VBA not in attachment.get_content()
    (queue_id,) = set(listed(product, "originals")) - set(kept_before)
    product.mx("quarantine", "release", queue_id, "--force", "--reason", "wanted", check=True)
    everything = delivered(product)
    assert len(everything) == n_before + 2
    (released,) = set(everything) - set(new)
    assert released.read_bytes().endswith(raw)
    assert product.ledger()["consistent"]


def test_a_document_without_macros_is_not_touched(product: Product) -> None:
    raw = mail(carriers.pdf(b"harmless", "a.txt").replace(b"EmbeddedFiles", b"EmbeddedXiles"), "plain.pdf")
    before = delivered(product)
    assert send(product, raw) == ""
    (new,) = set(delivered(product)) - set(before)
    assert len(read(new.read_bytes()).get_payload()) == 2


def test_the_command_line_opens_too(product: Product, tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(mail(carriers.CARRIERS["zip.deflated"](EICAR, "eicar.com"), "a.zip"))
    done = product.mx("scan", str(path), "--json")
    result = json.loads(done.stdout.splitlines()[0])
    assert result["verdict"] == "malware"
    assert any(part["name"] == "eicar.com" for part in result["parts"])


def test_the_status_tells_how_the_sandbox_is_confined(product: Product) -> None:
    status = json.loads(product.mx("status", "--json", check=True).stdout)
    assert status["sandbox"]


def test_a_mail_client_of_debian_can_send_it(product: Product, tmp_path: Path) -> None:
    if shutil.which("swaks") is None:
        pytest.skip("needs Debian's swaks")
    path = tmp_path / "a.zip"
    path.write_bytes(carriers.CARRIERS["zip.deflated"](EICAR, "eicar.com"))
    done = subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{product.inbound}", "--from", "a@partner.example", "--to", "b@trust.example",
         "--attach", f"@{path}"], capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "550 5.7.1" in done.stdout


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_another_scanner_is_asked_and_missed_when_it_is_down(tmp_path: Path) -> None:
    product = Product(tmp_path)
    with ClamdServer(tmp_path / "clamd") as clamd:
        product.config.write_text(
            product.config.read_text()
            + f'\n[[engine]]\nname = "clamd"\nkind = "clamd"\nservers = ["{clamd.address}"]\n'
        )
        with product:
            assert "5.7.1" in send(product, mail(carriers.CARRIERS["7z"](CANARY, "a.bin"), "a.7z"))
            assert send(product, mail(b"harmless", "a.txt")) == ""
            assert product.mx("check-config").returncode == 0
            clamd.stop()
            assert "451" in send(product, mail(b"harmless", "a.txt"))
            status = json.loads(product.mx("status", "--json").stdout)
            assert any(status["engines"][0]["servers"].values())
            assert product.mx("check-config").returncode == 69
            clamd.start()
            assert send(product, mail(b"harmless", "b.txt")) == ""
