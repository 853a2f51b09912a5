"""A console over a real SQLite store with known mail in it, for tests that need no running gateway."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher

from mxward.core.verdict import Disposition, Explanation, Hit, Verdict
from mxward.server.config import Config, Server, Web
from mxward.server.log import Log
from mxward.server.services import rules
from mxward.server.services.context import Context
from mxward.server.store import open_store
from mxward.server.store.api import DELIVERED, QUARANTINED, QUEUED, NewMessage, NewRecipient, Outcome, Store, UserRow
from mxward.server.store.queueid import new_queue_id
from mxward.server.web.app import build
from mxward.server.web.console import Console

ORIGIN = "http://127.0.0.1:8025"
PASSWORD = "correct horse battery"
START_US = 1_795_442_700_000_000  # 23 November 2026, 14:05 UTC
RAW = b"From: Ann <ann@sender.example>\r\nTo: ward@trust.example\r\nSubject: Rota\r\n\r\nThe rota for next week.\r\n"


@dataclass
class Ticks:
    """A monotonic clock and a wall clock that move only when told to."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def now_us(self) -> int:
        return START_US + int(self.seconds * 1_000_000)


@dataclass
class Site:
    """A console with its store; `ids` names the seeded messages."""

    console: Console
    store: Store
    ticks: Ticks
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def app(self) -> Any:
        return build(self.console)

    def client(self, address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        """A browser without JavaScript at that address; same-origin headers as a browser sends them."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False, client=(address, 40_000))
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN, **headers})

    def add_user(self, name: str, role: str) -> None:
        """A user with PASSWORD, ready to go: nothing to be changed first."""
        self.store.put_user(UserRow(name, password_hash(), role, self.ticks.now_us(), disabled=False))

    @property
    def context(self) -> Context:
        return Context(self.console.config, self.store, "test", self.console.clock)

    def enter(self, client: httpx.AsyncClient, name: str = "admin") -> None:
        """Sign in by the back door: a session made here, its cookie put into the browser. Spares an Argon2."""
        user = self.store.user(name)
        assert user
        token, _ = self.console.sessions.create(user)
        client.cookies.set("mxward_session", token, domain="127.0.0.1", path="/")


@functools.cache
def password_hash() -> str:
    """Of PASSWORD, made once a run: an Argon2 takes 64 MiB and a fifth of a second."""
    return PasswordHasher().hash(PASSWORD)


def config_of(data: Path, **web: Any) -> Config:
    return Config(server=Server(data_dir=str(data), hostname="mx.trust.example"), web=Web(**web))


def open_site(data: Path, **web: Any) -> Site:
    """A fresh site in that directory with the user `admin` (PASSWORD); the caller closes `store`."""
    from mxward.server.clock import Clock

    config = config_of(data, **web)
    ticks = Ticks()
    store = open_store(config, "web.0")
    log = Log("web.0", fd=-1)
    site = Site(Console(config, store, log, Clock(ticks.now_us), ticks), store, ticks)
    site.add_user("admin", "admin")
    return site


def hidden(html: str, name: str) -> str:
    """The value of the last hidden field of that name (the first may be the header's sign-out form)."""
    found = re.findall(rf'name="{name}" value="([^"]*)"', html)
    assert found, f"no hidden field {name}"
    return str(found[-1])


async def sign_in(client: httpx.AsyncClient, name: str = "admin", password: str = PASSWORD) -> httpx.Response:
    """What a person does: open the form, fill it in, send it. The response to the POST."""
    page = await client.get("/login")
    fields = {"csrf": hidden(page.text, "csrf"), "user": name, "password": password, "next": "/"}
    return await client.post("/login", data=fields)


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A form of the page at `path`, sent back with the session's token."""
    csrf = (await client.get("/api/session")).json()["csrf"]
    return await client.post(path, data={"csrf": csrf, **fields})


def judged(verdict: str, score: float, sentence: str, *hits: Hit, action: str = "deliver") -> dict[str, Any]:
    """The parts of a NewMessage that policy writes, for one recipient each."""
    found = Verdict(verdict, score, hits, packs=("starter@1",))
    explanation = Explanation("default@1", f"{verdict}-rule", sentence, "It would have been delivered otherwise.")
    disposition = Disposition("", action, explanation=explanation)
    return {"verdict": verdict, "score": score, "judgement": found.to_dict(), "disposition": disposition.to_dict()}


def add_message(
    site: Site,
    *rcpts: str,
    sender: str = "ann@sender.example",
    subject: str = "Rota",
    state: str = QUEUED,
    judgement: dict[str, Any] | None = None,
    raw: bytes = RAW,
    **more: Any,
) -> str:
    """Commit one message to these recipients; returns its queue id. Time moves on by a second."""
    site.ticks.seconds += 1
    now = site.ticks.now_us()
    doc = dict(judgement or judged("clean", 0.0, "Nothing was found in it."))
    disposition = doc.pop("disposition")
    area = "spam" if state == QUARANTINED else ""
    addresses = rcpts or ("ward@trust.example",)
    message = NewMessage(
        queue_id=new_queue_id(now),
        received_at=now,
        direction="inbound",
        sender=sender,
        raw=raw,
        recipients=[
            NewRecipient(a, state, disposition["action"], area, disposition={**disposition, "rcpt": a})
            for a in addresses
        ],
        subject=subject,
        client_ip="192.0.2.7",
        client_name="mail.sender.example",
        helo="mail.sender.example",
        header_from=sender,
        message_id=f"<{now}@sender.example>",
        policy_version="default@1",
        **doc,
        **more,
    )
    site.store.commit([message])
    return message.queue_id


def add_pack(site: Site, folder: Path, version: str, description: str = "Rules of the trust") -> None:
    """A rule pack `ours` of that version, added as the command line would."""
    folder.mkdir(exist_ok=True)
    (folder / "pack.toml").write_text(f'name = "ours"\nversion = "{version}"\ndescription = "{description}"\n')
    (folder / "w.list").write_text(f"words of version {version}\n")
    rules.add(site.context, folder)


def deliver(site: Site, queue_id: str, n: int = 0) -> None:
    """Record that a recipient was delivered, as the delivery worker does."""
    reply, route = "250 2.0.0 queued as 4711", "smtp://mx.trust.example:25 [192.0.2.25]"
    site.store.record_outcomes([Outcome(queue_id, n, DELIVERED, site.ticks.now_us(), reply, route)])


def seed(site: Site) -> None:
    """Four messages: clean and delivered, waiting, spam in quarantine, phishing to two in quarantine."""
    spam = judged(
        "spam", 8.5, "It looks like unwanted advertising.",
        Hit("GTUBE_LIKE", "spam", 6.0, "literal", "starter@1", "contains a phrase that only advertising uses"),
        Hit("FROM_MISMATCH", "anomaly", 2.5, "header", "builtin", "the visible sender differs from the real one"),
        action="quarantine",
    )  # fmt: skip
    phish = judged("phish", 12.0, "It asks for a password on a page that is not ours.", action="quarantine")
    site.ids["clean"] = add_message(site, subject="Rota for next week")
    deliver(site, site.ids["clean"])
    site.ids["waiting"] = add_message(site, "gp@practice.example", sender="ward@trust.example", subject="Referral")
    site.ids["spam"] = add_message(
        site, sender="win@prize.example", subject="You have won", state=QUARANTINED, judgement=spam
    )
    site.ids["phish"] = add_message(
        site, "ann@trust.example", "bob@trust.example",
        sender="it@support.example", subject="Your mailbox is full", state=QUARANTINED, judgement=phish,
    )  # fmt: skip


Factory = Callable[..., Site]
