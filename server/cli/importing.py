"""`mxward rules import-spamassassin`: rules of another program taken in as a pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mxward.server.cli import ruleauthor
from mxward.server.cli.common import ConfigFile, Data, Json, Reason, opened

app = ruleauthor.app  # one group for all
MAX_SHOWN = 20  # names and problems that are shown of one kind; --json has all


@app.command("import-spamassassin")
def import_spamassassin(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The directory that holds the .cf files.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the pack is called.")] = "spamassassin",
    score_set: Annotated[
        int, typer.Option("--score-set", min=0, max=3, help="Which of four scores counts: 0 no network, no Bayes.")
    ] = 0,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0.1, max=1000, help="The score that means spam in SpamAssassin.")
    ] = 5.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report; change nothing.")] = False,
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Leave out rules that cost too much or match everything; take the rest.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take it although it costs too much or matches too much.")
    ] = False,
    reason: Reason = "",
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Make a rule pack of SpamAssassin's .cf files, and say which of their tests run here and why others do not.

    Files are kept as they are. Tests that ask the network, need what SpamAssassin has learnt, or use a function that
    is not supported do not run and are listed.

    Example: mxward rules import-spamassassin /var/lib/spamassassin/4.000001/updates_spamassassin_org
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.cli.progress import watching
    from mxward.server.services.spamassassin import ImportOptions, import_folder, inspect

    options = ImportOptions(name, score_set, threshold, isolate, force, reason)
    if dry_run:
        result: dict[str, Any] = {"report": inspect(folder, options)[1]}
    else:
        with opened(data, config) as context, watching() as watch:
            result = import_folder(context, folder, options, watch)
    if json:
        emit(result)
        return
    _show(result["report"])
    if not dry_run:
        line(f"{safe(result['pack'])} added{'; the gateway reloads' if result['reloading'] else ''}")
        if result["warning"]:
            line(safe(f"  {result['warning']}"))


def _show(report: dict[str, Any]) -> None:
    from mxward.server.cli.output import line, safe, table

    line(safe(f"{report['pack']} {report['version']}: {report['used']} of {report['tests']} tests run"))
    table(("KIND", "TESTS", "RUN"), ((kind, n["tests"], n["used"]) for kind, n in report["kinds"].items()))
    for reason, names in report["idle"].items():
        line(safe(f"{len(names)} do not run: {reason}: {_some(names)}"))
    if report["partial"]:
        line(safe(f"{len(report['partial'])} metas run without a test they use: {_some(report['partial'])}"))
    if report["functions"]:
        line(safe(f"functions that are not supported: {_some(list(report['functions']))}"))
    for name, fault in list(report["faults"].items())[:MAX_SHOWN]:
        line(safe(f"{name}: {fault}"))
    for problem in report["problems"][:MAX_SHOWN]:
        rule = f"{problem['rule']}: " if problem["rule"] else ""
        line(safe(f"{problem['file']}:{problem['line']}: {problem['severity']}: {rule}{problem['text']}"))
    more = len(report["problems"]) - MAX_SHOWN + report["problems_dropped"]
    if more > 0:
        line(f"and {more} more")


def _some(names: list[str]) -> str:
    more = len(names) - MAX_SHOWN
    return ", ".join(names[:MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")
