"""The few lines that the person who typed `mxward run` sees, on standard error."""

from __future__ import annotations

from mxward import __version__
from mxward.server.config import Config


def console_url(address: str) -> str:
    """Where a browser on this machine finds the console: a wildcard address becomes the loopback one."""
    for wildcard, loopback in (("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:")):
        if address.startswith(wildcard):
            address = loopback + address.removeprefix(wildcard)
    return f"http://{address}/"


def first_start(web: str, password: str) -> str:
    """The one line that shows the one-time password."""
    return (
        f"mxward: first start. Log in at {console_url(web)} as admin with the password {password}\n"
        "mxward: (shown only this once; the console asks for a new one)"
    )


def lines(config: Config, listeners: list[tuple[str, str]], web: str, log: str, pid: int) -> list[str]:
    """Args: listeners: (side, address) as bound; log: file that gets the log, "" when standard output does."""
    out = [f"mxward {__version__} is running (process {pid}, data in {config.data})"]
    out += [f"  {side:<9} SMTP {address}" for side, address in listeners]
    out.append(f"  console   {console_url(web)}")
    for route in config.routes():
        where = f"mail for {route.domain}" if route.domain != "*" else "all other mail"
        out.append(f"  {where} goes to {', '.join(map(_hop, route.via))}")
    if log:
        out.append(f"  log       {log}")
    return out


def _hop(via: str) -> str:
    kind, _, rest = via.partition(":")
    if kind == "maildir":
        return f"Maildirs below {rest}/"
    return "its MX hosts" if via == "mx" else via
