"""`mxward learn`: teach the classifier by messages in files, folders, mbox files, Maildirs or standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mxward.server.cli.common import ConfigFile, Data, Json, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mxward.server.services.learning import Taught

Spam = Annotated[bool, typer.Option("--spam", help="They are unwanted.")]
Ham = Annotated[bool, typer.Option("--ham", help="They are wanted.")]
Forget = Annotated[bool, typer.Option("--forget", help="Take back what they taught.")]
_DONE = {"spam": "learned as unwanted", "ham": "learned as wanted", "forget": "forgotten"}
_KNOWN = {"spam": "known already", "ham": "known already", "forget": "never learned"}


def learn(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help='Files, folders, mbox, Maildir; "-": stdin.')],
    spam: Spam = False,
    ham: Ham = False,
    forget: Forget = False,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Teach the classifier by messages: unwanted (--spam), wanted (--ham), or take it back (--forget).

    A message counts once, however often it is given; learned the other way round, it changes sides. A running gateway
    judges by it at once. Exit 1 when nothing was new, 66 when something could not be read (nothing is learned then).

    Example: mxward learn --spam ~/Maildir/.Junk
    """
    from mxward.server.services import learning

    lesson = lesson_of(spam=spam, ham=ham, forget=forget)
    with opened(data, config) as context:
        raws = read(paths, context.config.smtp.limits.max_message_bytes)
        done = learning.learn(context, raws, lesson, source=" ".join(paths)[:500])
    report(done, lesson, json=json)


def lesson_of(*, spam: bool, ham: bool, forget: bool) -> str:
    """The one lesson that was asked for. Raises BadRequest."""
    from mxward.server.services.errors import BadRequest

    chosen = [name for name, given in (("spam", spam), ("ham", ham), ("forget", forget)) if given]
    if len(chosen) != 1:
        raise BadRequest("give one of --spam, --ham and --forget")
    return chosen[0]


def read(paths: list[str], limit: int) -> Iterator[bytes]:
    """The messages, one at a time. Raises NotFound for what cannot be read or is too large."""
    from mxward.server.cli.inputs import items
    from mxward.server.services.errors import NotFound

    for item in items(paths, limit):
        try:
            raw = item.read(limit) if not item.error else b""
        except OSError as error:
            raise NotFound(f"{item.label}: {error.strerror or error}") from None
        if item.error or len(raw) > limit:
            raise NotFound(f"{item.label}: {item.error or f'is larger than {limit} bytes'}")
        yield raw


def report(done: Taught, lesson: str, *, json: bool) -> None:
    """Print what became of the lessons; exit 1 when nothing was new."""
    from dataclasses import asdict

    from mxward.server.cli.output import emit, line

    if json:
        emit({"lesson": lesson, **asdict(done)})
    else:
        line(
            f"{done.changed} {_DONE[lesson]}, {done.known} {_KNOWN[lesson]}; "
            f"learned in all: {done.wanted} wanted, {done.unwanted} unwanted"
        )
    raise typer.Exit(0 if done.changed else 1)
