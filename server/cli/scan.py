"""`mxward scan`: judge messages from files, folders, mbox files, Maildirs or standard input, in parallel."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mxward.server.cli.common import ConfigFile, Data, Json, load

if TYPE_CHECKING:
    from collections.abc import Iterator


def scan(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help='Files, folders, mbox, Maildir; "-": stdin.')],
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
    envelope: Annotated[
        str,
        typer.Option(
            "--envelope",
            metavar="JSON",
            help='What the SMTP transaction said: {"sender": "", "recipients": [""], "client_ip": "", "helo": "", '
            '"direction": "inbound"}; each may be left out.',
        ),
    ] = "",
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=0, help="Processes (0: one a core).")] = 0,
) -> None:
    """Scan messages with the rules in force and say what they are. Nothing is stored or sent.

    With --json a line a message: {"path", "verdict", "score", "hits", "parts", "not_inspected", "elapsed_us", ...};
    what cannot be read gives {"path", "error"}. Exit 1 when anything is at or above quarantine level, else 66 when
    something could not be read.

    Example: mxward scan --json ~/Maildir suspicious.eml | jq .verdict
    """
    from mxward.server.cli import exitcodes
    from mxward.server.cli.output import emit
    from mxward.server.cli.scanning import Options, results
    from mxward.server.engines.setup import detectors_of
    from mxward.server.trust import trust_of

    settings = load(data, config)
    options = Options(
        str(settings.data), tuple(settings.domains.local), parse_envelope(envelope),
        settings.smtp.limits.max_message_bytes, trust_of(settings), settings.sandbox,
        tuple(detectors_of(settings)),
    )  # fmt: skip
    is_bad = is_unread = False
    for result in _with_progress(paths, options.limit, results(paths, options, jobs)):
        is_unread |= "error" in result
        is_bad |= bool(result.pop("is_kept_back", False))
        emit(result) if json else _print(result)
    raise typer.Exit(exitcodes.NEGATIVE if is_bad else exitcodes.NO_INPUT if is_unread else exitcodes.OK)


def parse_envelope(text: str) -> dict[str, Any]:
    """The --envelope option as a dictionary. Raises BadRequest naming the fault."""
    import orjson

    from mxward.server.services.errors import BadRequest

    if not text:
        return {}
    try:
        doc = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"--envelope is not JSON: {error}") from None
    kinds: dict[str, type] = {
        "sender": str,
        "recipients": list,
        "client_ip": str,
        "client_name": str,
        "helo": str,
        "direction": str,
    }
    if not isinstance(doc, dict):
        raise BadRequest("--envelope is not a JSON object")
    for key, value in doc.items():
        if key not in kinds:
            raise BadRequest(f"--envelope has the unknown key {key!r}; known are {', '.join(kinds)}")
        values = value if key == "recipients" and isinstance(value, list) else [value]
        if not isinstance(value, kinds[key]) or not all(isinstance(v, str) for v in values):
            raise BadRequest(f"--envelope: {key} is not {'a list of strings' if key == 'recipients' else 'a string'}")
    if doc.get("direction", "inbound") not in ("inbound", "outbound", "internal"):
        raise BadRequest("--envelope: direction is inbound, outbound or internal")
    return doc


def _print(result: dict[str, Any]) -> None:
    """One line a message and one for each hit that counts."""
    from mxward.server.cli.output import line, safe

    if "error" in result:
        line(f"{safe(result['path'])}: cannot be read: {safe(result['error'])}")
        return
    line(f"{safe(result['path'])}: {result['verdict']} ({result['score']:g})")
    for hit in result["hits"]:
        if hit["weight"] or hit["category"] not in ("info", "anomaly"):
            line(f"    {safe(hit['name'])} {hit['weight']:+g} {safe(hit.get('detail', ''))}".rstrip())
    for item in result["not_inspected"]:
        line(f"    not inspected: part {item['part']}, {safe(item['reason'])} {safe(item['detail'])}".rstrip())


def _with_progress(paths: list[str], limit: int, found: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A progress bar on standard error while results go elsewhere than the same terminal."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield from found
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from mxward.server.cli.inputs import count

    columns = (TextColumn("scanning"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    total = count(paths, limit)
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("scan", total=total if total >= 0 else None)
        for result in found:
            progress.advance(task)
            yield result
