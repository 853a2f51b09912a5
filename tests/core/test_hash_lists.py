"""Hash lists of packs: reading, the index and its cache, block and allow lists over mail, near duplicates."""

from __future__ import annotations

import hashlib
import random
from email.message import EmailMessage
from pathlib import Path

import pytest

from mxward.core.detect.hashlist import HashListDetector
from mxward.core.errors import RulePackError
from mxward.core.message import Envelope, Message, Recipient
from mxward.core.pipeline import Pipeline, load_pipeline
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.hashlist import HashIndex, index_hashes, n_digests, parse_hashes
from mxward.core.rules.pack import load_pack
from mxward.core.verdict import Hit
from mxward.pyx import tlsh

EXE = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + b"L\x01" + b"program" * 40
TEXT = b"a harmless note\r\n"


def pack_with(tmp_path: Path, **lists: str) -> Path:
    """A data directory with one pack of these .hashes files."""
    pack = tmp_path / "rules" / "known"
    pack.mkdir(parents=True)
    (pack / "pack.toml").write_text('name = "known"\nversion = "1"\n')
    for name, text in lists.items():
        (pack / f"{name}.hashes").write_text(text)
    return tmp_path


def mail(*attachments: tuple[str, bytes]) -> bytes:
    built = EmailMessage()
    built["From"], built["To"], built["Subject"] = "a@x.example", "b@trust.example", "files"
    built.set_content("See the files.")
    for name, content in attachments:
        built.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return built.as_bytes().replace(b"\n", b"\r\n")


def judge(pipeline: Pipeline, raw: bytes) -> Message:
    return pipeline.judge(raw, Envelope("a@x.example", (Recipient("b@trust.example"),)))


def hits_of(message: Message, detector: str = "hashlist") -> list[Hit]:
    return [hit for hit in message.hits if hit.detector == detector]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_a_listed_attachment_is_a_hit(tmp_path: Path, algorithm: str) -> None:
    digest = hashlib.new(algorithm, TEXT).hexdigest().upper()
    data = pack_with(tmp_path, bad=f"@description was seen in an attack\n{digest}  note.txt\n")
    message = judge(load_pipeline(data), mail(("other.txt", b"other"), ("note.txt", TEXT)))
    (hit,) = hits_of(message)
    assert (hit.name, hit.category, hit.weight, hit.pack) == ("BAD", "malware", 15.0, "known@1")
    assert hit.detail == "was seen in an attack"
    assert [message.parts[e.part].names for e in hit.evidence] == [("note.txt",)]
    assert message.verdict is not None
    assert message.verdict.name == "malware"


def test_settings_of_a_list_count(tmp_path: Path) -> None:
    head = "# ours\n@name OLD_FORM\n@category policy\n@weight 2.5\n"
    data = pack_with(tmp_path, forms=head + hashlib.sha256(TEXT).hexdigest())
    (hit,) = hits_of(judge(load_pipeline(data), mail(("note.txt", TEXT))))
    assert (hit.name, hit.category, hit.weight) == ("OLD_FORM", "policy", 2.5)


def test_allowed_files_are_trusted_and_others_are_not(tmp_path: Path) -> None:
    data = pack_with(tmp_path, tools=f"@kind allow\n{hashlib.sha256(EXE).hexdigest()}\n")
    pipeline = load_pipeline(data)
    trusted = judge(pipeline, mail(("tool.exe", EXE)))
    assert not [hit for hit in trusted.hits if hit.category == "attachment"]
    assert [(hit.name, hit.category) for hit in hits_of(trusted)] == [("TOOLS", "info")]
    both = judge(pipeline, mail(("tool.exe", EXE), ("evil.exe", EXE + b"x")))
    plain = judge(load_pipeline(None), mail(("evil.exe", EXE + b"x")))
    assert {h.name for h in plain.hits if h.category == "attachment"}
    assert {h.name for h in both.hits if h.category == "attachment"} == {
        h.name for h in plain.hits if h.category == "attachment"
    }


def test_allowing_a_file_never_hides_malware(tmp_path: Path) -> None:
    digest = hashlib.sha256(TEXT).hexdigest()
    data = pack_with(tmp_path, good=f"@kind allow\n{digest}", bad=digest)
    message = judge(load_pipeline(data), mail(("note.txt", TEXT)))
    assert {hit.name for hit in hits_of(message)} == {"GOOD", "BAD"}
    assert message.verdict is not None
    assert message.verdict.name == "malware"


def words(n: int) -> bytes:
    dice = random.Random(3)
    return b" ".join(dice.choice((b"invoice", b"amount", b"of", b"total", b"%d" % i)) for i in range(n))


def test_near_duplicates_are_found_within_the_distance(tmp_path: Path) -> None:
    digest = f"T1{tlsh.digest(words(800)).hex().upper()}"
    changed = words(800).replace(b" total ", b" total: ", 3)
    distance = tlsh.distance(tlsh.digest(words(800)), tlsh.digest(changed))
    assert 0 < distance <= 30
    data = pack_with(
        tmp_path, campaign=f"@distance {distance}\n{digest}\n", close=f"@distance {distance - 1}\n{digest}"
    )
    (hit,) = hits_of(judge(load_pipeline(data), mail(("bill.txt", changed))))
    assert hit.name == "CAMPAIGN"
    assert hit.detail.endswith(f"(nearly the same, distance {distance})")
    assert not hits_of(judge(load_pipeline(data), mail(("bill.txt", words(20)))))


def test_likeness_is_no_reason_to_trust(tmp_path: Path) -> None:
    digest = f"T1{tlsh.digest(words(800)).hex()}"
    data = pack_with(tmp_path, good=f"@kind allow\n{digest}\n")
    assert not hits_of(judge(load_pipeline(data), mail(("bill.txt", words(800)))))


def test_without_lists_nothing_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = load_pipeline(None)
    assert "hashlist" not in {detector.name for detector in pipeline.detectors}
    monkeypatch.setattr(hashlib, "sha256", None)
    assert judge(pipeline, mail(("note.txt", TEXT))).verdict is not None


def test_only_listed_kinds_of_digest_are_made(tmp_path: Path) -> None:
    data = pack_with(tmp_path, bad=hashlib.md5(TEXT, usedforsecurity=False).hexdigest())
    message = judge(load_pipeline(data), mail(("note.txt", TEXT)))
    assert len(hits_of(message)) == 1
    assert all(part._sha256 is None for part in message.parts)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 0, "holds no digest"),
        ("@name X\n", 0, "holds no digest"),
        ("@name lower\n" + "0" * 32, 1, "@name 'lower' (allowed: capitals, digits and _)"),
        ("# x\n@kind both\n" + "0" * 32, 2, "@kind 'both' (allowed: block, allow)"),
        ("@distance 301\n" + "0" * 32, 1, "@distance '301' (allowed: 0 to 300)"),
        ("@colour red\n" + "0" * 32, 1, "@colour 'red' (allowed: @name, @kind, @category, @weight, @distance, @"),
        ("@kind allow\n@weight 2\n" + "0" * 32, 0, "an allow list has no @weight"),
        ("0" * 32 + "\n@name X\n", 2, "@name stands after the first digest"),
        ("0" * 32 + "\n\nnot a digest\n", 3, "'not a digest' is no digest"),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(RulePackError) as fault:
        parse_hashes(text, "known/bad.hashes")
    assert fault.value.line == line
    assert fault.value.reason.startswith(reason)


def digests_of(index: HashIndex | None) -> tuple[int, int, int]:
    assert index is not None
    return index.table.counts


def test_the_index_is_kept_and_a_damaged_one_made_anew(tmp_path: Path) -> None:
    one = parse_hashes("\n".join(hashlib.sha256(b"%d" % n).hexdigest() for n in range(5000)), "known/bad.hashes")
    assert n_digests(one) == 5000
    assert digests_of(index_hashes([("known@1", one)], tmp_path)) == (0, 0, 5000)
    (file,) = tmp_path.glob("hashes-*.table")
    kept = file.read_bytes()
    file.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    index = index_hashes([("known@1", one)], tmp_path)
    assert digests_of(index) == (0, 0, 5000)
    assert file.read_bytes() == kept
    assert index is not None
    assert index.table.find(hashlib.sha256(b"4999").digest()) == [0]
    assert digests_of(index_hashes([("known@1", one)], tmp_path / "absent" / "cache")) == (0, 0, 5000)
    assert index_hashes([], tmp_path) is None


def test_digests_are_not_kept_twice_and_a_list_can_be_left_out(tmp_path: Path) -> None:
    data = pack_with(tmp_path, one="1" * 32, two="2" * 40)
    pack = load_pack(data / "rules" / "known")
    assert set(pack.rule_names()) == {"ONE", "TWO"}
    rules = compile_packs([pack])
    assert all(not one.digests for pack in rules.packs for one in pack.hashes)
    left = compile_packs([pack.without(["ONE"])])
    assert digests_of(left.hashes) == (0, 1, 0)
    assert left.hashes is not None
    assert HashListDetector(left.hashes).packs == ("known@1",)
    assert left.version != rules.version
