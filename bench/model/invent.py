"""Training mail that the makers of mxward wrote themselves, because no phishing whose licence allows training was to be
had: templates with choices in texts/*.txt, and message forms as mail programs and campaigns build them.

A template is a block that begins with "== "; {a|b|} chooses, <name>, <number>, ... are filled in. The same seed gives
the same messages to the byte. Nothing here is, or was derived from, a received message.
"""

from __future__ import annotations

import base64
import html
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TEXTS = Path(__file__).resolve().parent / "texts"
Button = tuple[str, str, int]  # words and address of the main link, lesser links about it
_CHOICE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"<([a-z]+)>")
GIVEN = [
    "Anna",
    "James",
    "Priya",
    "Mohammed",
    "Sarah",
    "David",
    "Chloe",
    "Kwame",
    "Fiona",
    "Tomasz",
    "Grace",
    "Wei",
    "Laura",
    "Peter",
    "Olu",
    "Ines",
    "Marek",
    "Sofia",
    "Hannah",
    "Daniel",
    "Ruth",
    "George",
    "Amina",
    "Paul",
]
FAMILY = [
    "Smith",
    "Patel",
    "Jones",
    "Khan",
    "Brown",
    "Evans",
    "Nowak",
    "Okafor",
    "Wilson",
    "Chen",
    "Murphy",
    "Davies",
    "Silva",
    "Weber",
    "Martin",
    "Rossi",
    "Taylor",
    "Hughes",
    "Ahmed",
    "Clarke",
    "Bauer",
    "Lopez",
]
GIRLS = ["Natasha", "Kelly", "Olga", "Jenny", "Maria", "Svetlana", "Amber", "Lisa"]
WORDS = [
    "green",
    "river",
    "stone",
    "cloud",
    "north",
    "bright",
    "harbour",
    "maple",
    "silver",
    "garden",
    "orbit",
    "falcon",
    "copper",
    "meadow",
    "summit",
    "lantern",
    "delta",
    "cedar",
    "pixel",
    "anchor",
    "amber",
    "quartz",
    "willow",
    "ember",
    "prairie",
]
ENDS_JUNK = (".com", ".net", ".info", ".xyz", ".top", ".shop", ".online", ".site", ".club", ".ru", ".br", ".in", ".cn")
ENDS_HAM = (".co.uk", ".org.uk", ".com", ".org", ".net", ".nhs.uk", ".ac.uk", ".de", ".fr", ".eu")
FREE = ("gmail.com", "outlook.com", "yahoo.com", "hotmail.com", "aol.com")
HOSTED = ("web.app", "github.io", "weebly.com", "blogspot.com", "firebaseapp.com", "wixsite.com", "s3.amazonaws.com")


@dataclass(frozen=True, slots=True)
class Template:
    """One block of texts/: class (ham, spam, phish), name, language, head lines by name, paragraphs."""

    label: str
    name: str
    language: str
    head: dict[str, str]
    body: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Invented:
    """A message, its class, and the template it came from (which goes to one fold as a whole)."""

    label: str
    source: str
    raw: bytes


def templates() -> list[Template]:
    """All templates, in a fixed order."""
    return [template for path in sorted(TEXTS.glob("*.txt")) for template in _read(path)]


def _read(path: Path) -> Iterator[Template]:
    label, _, language = path.stem.partition("-")
    for block in re.split(r"^== ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        title, *lines = block.strip().split("\n")
        words = title.split()
        kind, spoken, name = (label, language, words[0]) if len(words) == 1 else (words[0], words[1], words[2])
        heads = [line for line in lines if re.match(r"(From|Subject|Link|Reply|Own|Attach): ", line)]
        head = dict(line.split(": ", 1) for line in heads)
        yield Template(kind, name, spoken, head, tuple(line for line in lines if line not in heads))


class Author:
    """Fills templates in. Its dice are its own, so that templates do not depend on each other."""

    def __init__(self, template: Template, number: int) -> None:
        self.dice = random.Random(f"{template.label} {template.language} {template.name} {number}")
        self.template = template
        self.is_junk = template.label != "ham"
        self.own = self._domain(ENDS_JUNK if self.is_junk else ENDS_HAM)
        self.reader = f"{self.dice.choice(GIVEN)}.{self.dice.choice(FAMILY)}".lower()
        self.reader_domain = self._domain(ENDS_HAM)

    def expand(self, text: str) -> str:
        """Choices made, innermost first, then slots filled."""
        while match := _CHOICE.search(text):
            text = text[: match.start()] + self.dice.choice(match[1].split("|")) + text[match.end() :]
        return _SLOT.sub(self._slot, text)

    def _slot(self, match: re.Match[str]) -> str:
        dice = self.dice
        match match[1]:
            case "name":
                return f"{dice.choice(GIVEN)} {dice.choice(FAMILY)}"
            case "girl":
                return dice.choice(GIRLS)
            case "number":
                return str(dice.randrange(2, 10 ** dice.choice((1, 2, 4, 6, 8)) + 3))
            case "amount":
                exact = f"{dice.randrange(3, 999)}.{dice.randrange(100):02}"
                return dice.choice((exact, f"{dice.randrange(1, 99)},000"))
            case "date":
                return f"{dice.randrange(1, 29)} {dice.choice(('January', 'March', 'May', 'July', 'October'))}"
            case "user":
                return self.reader.split(".")[0].capitalize()
            case "address":
                return f"{self.reader}@{self.reader_domain}"
            case "domain":
                return self.reader_domain
            case "wallet":
                return "1" + "".join(dice.choice("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMN23456789") for _ in range(33))
        raise ValueError(f"{self.template.name}: no slot <{match[1]}>")

    def _domain(self, ends: tuple[str, ...]) -> str:
        dice = self.dice
        name = dice.choice(("", "-")).join(dice.sample(WORDS, dice.choice((1, 2, 2))))
        return name + (str(dice.randrange(10, 999)) if dice.random() < 0.1 else "") + dice.choice(ends)

    def _token(self, n: int) -> str:
        return "".join(self.dice.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(n))

    def link(self) -> str:
        """An address as this kind of mail has them."""
        dice = self.dice
        if not self.is_junk:
            host = self.own if dice.random() < 0.8 else self._domain(ENDS_HAM)
            prefix = dice.choice(("www.", "", "my.", "click.", "account."))
            news, order = f"/news/{dice.choice(WORDS)}", f"/orders/{dice.randrange(9999)}"
            path = dice.choice(("", "/account", order, news, "/help"))
            return f"https://{prefix}{host}{path}"
        kind = dice.random()
        if kind < 0.25:
            host = f"{self._token(dice.randrange(6, 22))}.{dice.choice(HOSTED)}"
        elif kind < 0.32:
            host = ".".join(str(dice.randrange(1, 255)) for _ in range(4))
        elif kind < 0.5:
            host = self.own
        else:
            host = dice.choice(("", "www.", f"{self._token(5)}.")) + self._domain(ENDS_JUNK)
        path = dice.choice((
            f"/{self._token(8)}", "/login/", f"/?e={self.reader}@{self.reader_domain}", "/wp-content/index.php",
            f"/c/{self._token(24)}", "/verify.html", "", f"/{dice.choice(WORDS)}/",
        ))  # fmt: skip
        return f"{dice.choice(('http', 'https', 'https'))}://{host}{path}"

    def message(self) -> bytes:
        """A whole message, CRLF line ends."""
        head, dice = self.template.head, self.dice
        subject = self.expand(head.get("Subject", ""))
        paragraphs = [line for line in map(self.expand, self.template.body) if line]
        attachment = self.expand(head["Attach"]) if "Attach" in head else ""
        button = self.expand(head["Link"]) if "Link" in head else ""
        forms = ("html", "both", "plain") if button else ("plain", "both", "html")
        form = dice.choices(forms, (6, 3, 1))[0]
        lines = [f"From: {self._from(self.expand(head['From']))}", f"To: {self._to()}", f"Subject: {_encoded(subject)}"]
        lines += self._more(head, subject)
        return _assemble(lines, form, paragraphs, self._button(button), attachment, dice)

    def _button(self, words: str) -> Button:
        """Words and address of the main link, and how many lesser ones are about it."""
        return (words, self.link() if words else "", self.dice.choice((0, 0, 1, 3)) if words else 0)

    def _from(self, display: str) -> str:
        dice = self.dice
        is_person = display.replace(" ", "").isalpha() and display.istitle() and len(display.split()) == 2
        if self.template.head.get("Reply") == "free" and dice.random() < 0.7:
            local = display.lower().replace(" ", "").translate({ord(c): None for c in "().@"})[:14] or "office"
            return f'"{display}" <{local}{dice.randrange(9999) if dice.random() < 0.6 else ""}@{dice.choice(FREE)}>'
        if self.is_junk:
            local = dice.choice((self._token(9), "info", "noreply", "support", "admin", dice.choice(GIVEN).lower()))
        elif is_person:
            local = display.lower().replace(" ", ".")
        else:
            local = dice.choice(("noreply", "info", "hello", "notifications", "news", "support"))
        return f'"{display}" <{local}@{self.own}>'

    def _to(self) -> str:
        dice = self.dice
        if self.is_junk and dice.random() < 0.15:
            return dice.choice(("undisclosed-recipients:;", "Recipients <info@" + self.own + ">"))
        more = [f"{n}.{f}@{self.reader_domain}" for n, f in zip(GIVEN, FAMILY, strict=False)]
        extra = dice.sample(more, dice.choice((0, 0, 0, 1, 4))) if not self.is_junk else []
        return ", ".join((f"{self.reader}@{self.reader_domain}", *(address.lower() for address in extra)))

    def _more(self, head: dict[str, str], subject: str) -> list[str]:
        dice, lines = self.dice, []
        if head.get("Reply") == "free" and dice.random() < 0.6:
            lines.append(f"Reply-To: {self._token(8)}@{dice.choice(FREE)}")
        if subject.startswith(("Re:", "AW:")) and not self.is_junk:
            lines.append(f"In-Reply-To: <{self._token(12)}@{self.own}>")
        if dice.random() < (0.12 if self.is_junk else 0.03):
            lines.append("X-Priority: 1")
        return lines


def _encoded(text: str) -> str:
    if text.isascii():
        return text
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def _plain(paragraphs: list[str], button: Button) -> str:
    words, url, _ = button
    out = paragraphs[:-1] + ([f"{words}: {url}"] if url else []) + paragraphs[-1:]
    return "\r\n\r\n".join(out) + "\r\n"


def _html(paragraphs: list[str], button: Button, dice: random.Random) -> str:
    words, url, extra = button
    out = [f"<p>{html.escape(line, quote=False)}</p>" for line in paragraphs]
    if url:
        out.insert(-1, f'<p><a href="{html.escape(url)}" style="padding:10px;color:#fff">{words}</a></p>')
        out += [f'<p><a href="{html.escape(url.rpartition("/")[0])}/{n}">{n}</a></p>' for n in range(extra)]
    if dice.random() < 0.5 and url:
        out.insert(0, f'<img src="{html.escape(url.rpartition("/")[0])}/logo.png" alt="">')
    return "<html><body>\r\n" + "\r\n".join(out) + "\r\n</body></html>\r\n"


def _assemble(
    lines: list[str], form: str, paragraphs: list[str], button: Button, attachment: str, dice: random.Random
) -> bytes:
    plain = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{_plain(paragraphs, button)}"
    rich = f"Content-Type: text/html; charset=utf-8\r\n\r\n{_html(paragraphs, button, dice)}"
    body = {"plain": plain, "html": rich}.get(form) or _multipart("alternative", "alt", (plain, rich))
    if attachment:
        kind = "text/html" if attachment.endswith((".html", ".htm")) else f"application/{attachment.rpartition('.')[2]}"
        file = (
            f'Content-Type: {kind}; name="{attachment}"\r\nContent-Disposition: attachment; filename="{attachment}"\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\nU2VlIHRoZSBsZXR0ZXIuIFRoYW5rIHlvdS4=\r\n"
        )
        body = _multipart("mixed", "mix", (body, file))
    return ("\r\n".join((*lines, "MIME-Version: 1.0")) + "\r\n" + body).encode()


def _multipart(kind: str, mark: str, parts: tuple[str, ...]) -> str:
    inside = "".join(f"--{mark}\r\n{part}" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{mark}"\r\n\r\n{inside}--{mark}--\r\n'


def messages(each: int = 32) -> Iterator[Invented]:
    """`each` messages of every template, half as many of those in other languages than English."""
    for template in templates():
        for number in range(each if template.language == "en" else each // 2):
            source = f"invented {template.language} {template.name}"
            yield Invented(template.label, source, Author(template, number).message())
