"""One of SpamAssassin's eval functions over one small message, as the engine runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mxtest.saparity import message_of
from mxward.core.rules.spamassassin.compile import EvalTest
from mxward.core.rules.spamassassin.evalrun import EvalRun
from mxward.core.rules.spamassassin.evaltools import NEVER, Table
from mxward.core.rules.spamassassin.site import Site
from mxward.core.rules.spamassassin.texts import TextSet

TOP = {"util_rb_tld": ["com example org net icu jp"], "util_rb_2tld": ["co.example"]}


class Case(NamedTuple):
    """A test as a rule calls it, a message, whether it matches, and settings of the rule set beside TOP."""

    call: str
    mail: bytes
    matches: bool
    settings: Mapping[str, Sequence[str]] = {}


def mail(*fields: str, body: str = "") -> bytes:
    """A message of these header fields; bytes beyond ASCII are those of Latin-1."""
    text = "".join(f"{field}\n" for field in fields) + "\n" + body
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode("latin-1")


def part(*fields: str, body: str = "") -> str:
    """A part of `multipart`."""
    return "--b\n" + "".join(f"{field}\n" for field in fields) + "\n" + body


def multipart(kind: str, *parts: str, behind: str = "", fields: Sequence[str] = ()) -> bytes:
    """A message of parts as `part` makes them."""
    top = f'Content-Type: multipart/{kind}; boundary="b"'
    return mail(*fields, "MIME-Version: 1.0", top, body="\n".join(parts) + f"\n--b--\n{behind}")


def html(source: str, *fields: str) -> bytes:
    """A message of one HTML part."""
    return mail(*fields, "Content-Type: text/html", body=source)


def run_eval(
    call: str, raw: bytes, settings: Mapping[str, Sequence[str]] | None = None
) -> tuple[float, bool]:  # fmt: skip
    """(what the test counts, 0 when it does not match; whether its code failed). Call: 'function(a, b)', no quotes."""
    name, _, rest = call.partition("(")
    arguments = tuple(piece.strip() for piece in rest.removesuffix(")").split("; ")) if rest not in ("", ")") else ()
    values: dict[int, float] = {}
    failed: list[int] = []
    site = Site({**TOP, **(settings or {})})
    EvalRun([EvalTest(7, name, arguments, "body")]).run(TextSet(message_of(raw), site), values, failed)
    return values.get(7, 0), failed == [7]


def check(case: Case) -> None:
    """Whether the case holds."""
    assert run_eval(case.call, case.mail, case.settings) == (int(case.matches), False), case.call


def untested(table: Table, cases: Sequence[Case]) -> set[str]:
    """Functions of a table without a case in which they match, or without one in which they do not."""
    known = {name for name, function in table.items() if function is not NEVER}
    seen = [{case.call.partition("(")[0] for case in cases if case.matches is matches} for matches in (True, False)]
    return known - (seen[0] & seen[1])
