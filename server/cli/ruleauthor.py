"""`mxward rules lint|test|profile|keygen|sign|verify|trust|distrust|keys`: what authors of rule packs do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mxward.server.cli import rules as gateway_rules
from mxward.server.cli.common import ConfigFile, Data, Json, load, opened, paths

if TYPE_CHECKING:
    from mxward.core.rules.profile import PackCost

app = gateway_rules.app  # one group for both

Target = Annotated[str, typer.Argument(metavar="NAME|DIR", help="Only this pack of the gateway, or a pack anywhere.")]
PackDir = Annotated[Path, typer.Argument(metavar="DIR", help="The pack's directory.")]
KeyName = Annotated[str, typer.Argument(metavar="NAME", help="What the key is called here.")]


@app.command()
def lint(
    packs: Annotated[list[Path], typer.Argument(metavar="DIR|FILE", help="Packs: directories, .tar.gz, .zip.")],
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for warnings too.")] = False,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Show what is wrong or doubtful in packs. Exit 1 when a pack would be refused.

    Errors refuse a pack; warnings are what does not do what its author wants, or is slow; notes are what is missing.
    With --data or --config also names that packs of that gateway have already.

    Example: mxward rules lint ./trust-pack
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import ruleauthor

    settings = load(data, config) if any(paths(data, config)) else None
    problems = ruleauthor.lint(packs, settings)
    for problem in problems:
        if json:
            emit(problem)
        else:
            where = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
            line(safe(f"{where}: {problem['severity']}: {problem['text']}"))
    if not problems and not json:
        line("no problem found")
    bad = ("error", "warning") if strict else ("error",)
    raise typer.Exit(1 if any(problem["severity"] in bad for problem in problems) else 0)


@app.command("test")
def run_samples(
    name: Target = "",
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show for each rule how many must-match samples it hit instead.")
    ] = False,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Run the samples that packs bring: each must-match must hit, no must-not-match may. Exit 1 when one fails.

    With --coverage exit 1 also when a rule was hit by none.

    Example: mxward rules test ./trust-pack --coverage
    """
    from mxward.server.cli.progress import watching
    from mxward.server.services import ruleauthor

    settings = load(data, config)
    n_samples = n_failed = n_rules = n_untried = 0
    with watching() as watch:
        done = list(ruleauthor.run_samples(settings, name, lambda n, total: watch("testing", n, total)))
    for pack, results in done:
        rules = ruleauthor.covered(pack, results)
        n_samples += len(results)
        n_failed += sum(not result.passed for result in results)
        n_rules += len(rules)
        n_untried += sum(not rule["n_samples"] for rule in rules)
        _print_samples(pack.name, results, rules, coverage=coverage, json=json)
    if not json:
        from mxward.server.cli.output import line

        line(f"{n_samples} samples, {n_failed} failed; {n_rules - n_untried} of {n_rules} rules were hit")
    raise typer.Exit(1 if n_failed or (coverage and n_untried) else 0)


def _print_samples(pack: str, results: list[Any], rules: list[dict[str, Any]], *, coverage: bool, json: bool) -> None:
    from dataclasses import asdict

    from mxward.server.cli.output import emit, line, safe

    if coverage:
        for rule in rules:
            if json:
                emit(rule)
            else:
                line(safe(f"{rule['n_samples']:6} {pack}/{rule['rule']}"))
        return
    for result in results:
        if json:
            emit({"pack": pack, **asdict(result)})
        elif not result.passed:
            wanted = "no hit" if result.must_match else "hit by " + ", ".join(result.hits)
            line(safe(f"FAILED {pack}/{result.file}: {wanted}"))


@app.command()
def profile(
    name: Target = "",
    corpus: Annotated[
        Path | None, typer.Option("--corpus", metavar="DIR", help="Messages to measure with instead of our own.")
    ] = None,
    top: Annotated[int, typer.Option("--top", metavar="N", min=0, help="Show the N dearest (0: all).")] = 25,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Measure what each rule costs a message, dearest first.

    Each rule is measured alone; together they cost less, since engines share their passes. Instructions are CPU time
    set against work whose instructions are known, done in the same run, so that they can be compared between machines.
    --json prints one object with all rules, ready to be plotted.

    Example: mxward rules profile ./trust-pack --top 10
    """
    from mxward.server.cli.progress import watching
    from mxward.server.services import ruleauthor

    settings = load(data, config)
    with watching() as watch:
        found = ruleauthor.profile_packs(settings, name, corpus, lambda n, total: watch("measuring", n, total))
    _print_profile(found, top, json=json)


def _print_profile(found: PackCost, top: int, *, json: bool) -> None:
    from dataclasses import asdict

    from mxward.server.cli.output import emit, line, table

    if json:
        emit(asdict(found))
        return

    def row(rule: Any) -> tuple[object, ...]:
        place = f"{rule.file}:{rule.line}" if rule.line else rule.file
        return f"{rule.instructions:,.0f}", f"{rule.microseconds:,.1f}", f"{rule.share:.1%}", rule.name, place

    head = ("INSTRUCTIONS", "MICROSECONDS", "SHARE", "RULE", "WHERE")
    table(head, map(row, found.rules[: top or None]), right=frozenset((0, 1, 2)))
    more = len(found.rules) - (top or len(found.rules))
    if more > 0:
        line(f"and {more} more, which cost less")
    line(
        f"all together {found.instructions:,.0f} instructions, {found.microseconds:,.0f} µs a message "
        f"({found.n_messages} messages, {found.n_bytes:,} bytes)"
    )


@app.command()
def keygen(
    public: Annotated[Path, typer.Argument(metavar="PUBLIC", help="File for the public key.")],
    secret: Annotated[Path, typer.Argument(metavar="SECRET", help="File for the secret key.")],
    no_password: Annotated[bool, typer.Option("--no-password", help="Do not encrypt the secret key.")] = False,
    json: Json = False,
) -> None:
    """Make a key to sign packs with, in minisign's format; asks for a password (or reads one from a pipe).

    Example: mxward rules keygen trust.pub trust.key
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import ruleauthor

    made = ruleauthor.make_key(public, secret, "" if no_password else _password(confirm=True))
    if json:
        emit(made)
    else:
        line(safe(f"key {made['key_id']}: {made['key']}"))


def _password(*, confirm: bool = False) -> str:
    """From the terminal without showing it, or the first line of a pipe."""
    if sys.stdin.isatty():
        text: str = typer.prompt("Password", hide_input=True, confirmation_prompt=confirm)
        return text
    return sys.stdin.readline().rstrip("\n")


@app.command()
def sign(
    path: PackDir,
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="The secret key, of keygen or of minisign.")],
    json: Json = False,
) -> None:
    """Sign a pack: writes pack.sums and pack.sums.minisig into it.

    Example: mxward rules sign ./trust-pack --key trust.key
    """
    import time

    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import ruleauthor

    made = ruleauthor.sign(path, key, _password, int(time.time()))
    if json:
        emit(made)
    else:
        line(safe(f"{made['pack']} {made['version']} signed with key {made['key_id']}"))


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The pack.")],
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="KEY|FILE", help="Public key (default: the trusted ones).")
    ] = None,
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Check who signed a pack. Exit 1 when nobody did or the key is not trusted, 65 when the signature is wrong.

    Example: mxward rules verify ./trust-pack --key trust.pub
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import ruleauthor

    found = ruleauthor.verify(load(data, config), path, key or ())
    if json:
        emit(found)
    else:
        by = f" by {found['signer']}" if found["signer"] and not key else ""
        key_id = f" (key {found['key_id']})" if found["key_id"] else ""
        comment = found["comment"].replace("\t", ", ")
        line(safe(f"{found['pack']}: {found['state']}{by}{key_id} {comment}".rstrip()))
    raise typer.Exit(0 if found["state"] == "trusted" else 1)


@app.command()
def keys(data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """List the keys whose packs are trusted.

    Example: mxward rules keys
    """
    from mxward.server.cli.output import emit, table
    from mxward.server.services import ruleauthor

    found = ruleauthor.trusted(load(data, config))
    if json:
        for one in found:
            emit(one)
    else:
        table(("NAME", "ID", "KEY"), ((one["name"], one["key_id"], one["key"]) for one in found))


@app.command()
def trust(
    name: KeyName,
    key: Annotated[str, typer.Argument(metavar="KEY|FILE", help="The public key, or the file that holds it.")],
    data: Data = "",
    config: ConfigFile = "",
    json: Json = False,
) -> None:
    """Trust packs that a key signs.

    Example: mxward rules trust vendor vendor.pub
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import ruleauthor

    with opened(data, config) as context:
        done = ruleauthor.trust_key(context, name, key)
    if json:
        emit(done)
    else:
        line(safe(f"{name} ({done['key_id']}) is trusted"))


@app.command()
def distrust(name: KeyName, data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Trust a key no longer.

    Example: mxward rules distrust vendor
    """
    from mxward.server.cli.output import emit, line, safe
    from mxward.server.services import ruleauthor

    with opened(data, config) as context:
        done = ruleauthor.distrust_key(context, name)
    if json:
        emit(done)
    else:
        line(safe(f"{name} is trusted no longer"))
