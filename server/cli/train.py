"""`mxward train`: make a model of the classifier from one's own mail, and say how good it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mxward.server.cli.common import ConfigFile, Data, Json, load, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mxward.core.classify.figures import Figures, Row
    from mxward.server.services.learning import Trained

Paths = list[str]


def train(
    ham: Annotated[Paths | None, typer.Option("--ham", metavar="PATH", help="Wanted mail; may be repeated.")] = None,
    spam: Annotated[Paths | None, typer.Option("--spam", metavar="PATH", help="Unwanted mail.")] = None,
    phish: Annotated[Paths | None, typer.Option("--phish", metavar="PATH", help="Phishing and fraud.")] = None,
    use: Annotated[bool, typer.Option("--use", help="Judge by it from now on.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the model to a file.")] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Judge by the shipped model again; trains nothing.")
    ] = False,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Train the classifier on labelled mail: files, folders, mbox files, Maildirs.

    Each path, and each folder in it, is a source; every source is judged once by what the others taught, and those
    are the figures shown: the share of each class at or above each probability of being unwanted, and how well the
    probabilities hold. Without --use nothing changes. Lessons of `mxward learn` stay.

    Example: mxward train --ham ~/Maildir/cur --spam ~/Maildir/.Junk --use
    """
    from mxward.server.cli.output import emit, line
    from mxward.server.services import learning

    if shipped:
        with opened(data, config) as context:
            done = learning.use_shipped(context)
        emit(done) if json else line(f"{done['model']} is in use")
        return
    paths = {"ham": ham or [], "spam": spam or [], "phish": phish or []}
    limit = load(data, config).smtp.limits.max_message_bytes
    trained = _trained(paths, limit)
    if out is not None:
        out.write_bytes(trained.blob)
    result = {"examples": trained.examples, "bytes": len(trained.blob), **trained.figures.to_dict()}
    if use:
        with opened(data, config) as context:
            result |= learning.use(context, trained)
    emit(result) if json else _print(trained, result)


def mails(paths: dict[str, Paths], limit: int) -> Iterator[tuple[str, str, bytes]]:
    """(class, source, message) of everything below the paths. Raises NotFound for what cannot be read."""
    from mxward.server.cli.inputs import items
    from mxward.server.services.errors import NotFound

    for label, given in paths.items():
        for item in items(given, limit):
            try:
                raw = item.read(limit) if not item.error else b""
            except OSError as error:
                raise NotFound(f"{item.label}: {error.strerror or error}") from None
            if item.error or len(raw) > limit:
                raise NotFound(f"{item.label}: {item.error or f'is larger than {limit} bytes'}")
            yield label, str(Path(item.label.partition("#")[0]).parent), raw


def _trained(paths: dict[str, Paths], limit: int) -> Trained:
    """Train with a progress bar on a terminal."""
    from datetime import UTC, datetime

    from mxward.server.services import learning

    version = datetime.now(UTC).strftime("%Y%m%d.%H%M%S")
    if not sys.stderr.isatty():
        return learning.train_on(mails(paths, limit), version=version)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        reading = progress.add_task("reading messages", total=None)
        testing = progress.add_task("testing on what was left out", total=None)

        def counted() -> Iterator[tuple[str, str, bytes]]:
            for mail in mails(paths, limit):
                progress.advance(reading)
                yield mail

        def tested(done: int, of: int) -> None:
            progress.update(testing, completed=done, total=of)

        return learning.train_on(counted(), version=version, progress=tested)


def _print(trained: Trained, result: dict[str, Any]) -> None:
    from mxward.server.cli.output import line

    found: Figures = trained.figures
    counts = ", ".join(f"{n} {label}" for label, n in trained.examples.items())
    line(f"trained on {counts}; the model has {len(trained.blob):,} bytes")
    line()
    line("Share at or above each probability of being unwanted, every source judged by a model that had not seen it:")
    _table(found.classes, found.levels, "CLASS", lambda row: row.name)
    line()
    _table(found.sources, found.levels, "SOURCE", lambda row: f"{row.label}  {row.name}")
    line()
    line(f"Calibration (mean error {found.error:.1%}): of messages that were given a probability of")
    for one in found.calibration:
        line(f"  {one.said:6.1%}, {one.true:6.1%} were unwanted ({one.n} messages)")
    if "model" in result:
        line()
        line(f"{result['model']} is in use{'; the gateway reloads' if result['reloading'] else ''}")


def _table(rows: tuple[Row, ...], levels: tuple[float, ...], title: str, name: Callable[[Row], str]) -> None:
    from mxward.server.cli.output import table

    head = (title, "MESSAGES", *(f"{level:.0%}" for level in levels))
    table(head, ((name(r), r.n, *(f"{s:.1%}" for s in r.shares)) for r in rows), right=frozenset(range(1, len(head))))
