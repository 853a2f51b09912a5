"""The configuration file: /etc/mxward/mxward.toml, --config, or MXWARD_* variables; validated with file, line, key.

Everything staff change daily (policies, rule packs, users) is not here but in the data directory and the store.
An absent file is a complete configuration: the embedded defaults.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

from mxward.core import limits
from mxward.core.errors import ConfigError

SECTIONS_ENV = "MXWARD_"


class Server(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    data_dir: str = "/var/lib/mxward"
    hostname: str = ""  # name in banner, EHLO, Received and DSNs; "" takes the machine's
    workers: int = 0  # smtp processes; 0: one a core
    user: str = ""  # drop to this user after binding ports, when started as root
    group: str = ""


class Domains(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    local: list[str] = msgspec.field(default_factory=lambda: ["trust.example"])
    recipients: str = "any"  # "any", or a file: one address a line


class Listener(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    address: str  # "HOST:PORT" or "[V6]:PORT"
    side: Literal["inbound", "outbound"]
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    require_tls: bool = False
    proxy_protocol: bool = False  # expect PROXY v1/v2 from smtp.trusted_proxies


class Tls(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    certificate: str = ""  # PEM; "" uses DATA/tls/cert.pem, made self-signed on first start
    key: str = ""
    minimum: Literal["1.2", "1.3"] = "1.2"


class SmtpLimits(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Limits of a session; sizes in bytes, times in seconds."""

    max_message_bytes: int = limits.MAX_MESSAGE_BYTES
    max_recipients: int = limits.MAX_RECIPIENTS
    max_sessions: int = 10_000  # a worker
    max_sessions_per_client: int = 100  # a worker
    max_transactions_per_session: int = 1000
    max_errors: int = 20
    max_junk_commands: int = 100
    command_timeout: float = 300.0
    data_timeout: float = 600.0  # whole DATA or BDAT transfer
    data_min_rate: int = 500  # bytes a second, after the first 30 s
    max_memory_bytes: int = 512 * 1024 * 1024  # message bytes a worker may hold; above: 451
    max_waiting_commits: int = 2000  # messages a worker may have in scan and commit; above: 451
    min_free_bytes: int = 64 * 1024 * 1024  # of the data disk; below: 452
    max_received: int = limits.MAX_RECEIVED


class Smtp(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    banner: str = "ESMTP mxward"
    limits: SmtpLimits = msgspec.field(default_factory=SmtpLimits)
    trusted_networks: list[str] = msgspec.field(default_factory=lambda: ["127.0.0.0/8", "::1/128"])  # outbound side
    trusted_proxies: list[str] = msgspec.field(default_factory=lambda: ["127.0.0.0/8", "::1/128"])
    xclient_hosts: list[str] = msgspec.field(default_factory=list)
    auth_requires_tls: bool = True


class Route(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where mail for `domain` goes ("*": any other). Hosts are tried in order, from the next when one fails.

    via: "smtp://HOST[:PORT]", "lmtp://HOST:PORT", "lmtp:unix:/PATH", "maildir:PATH" (PATH relative to the data
    directory), or "mx" for the domain's own MX records.
    """

    domain: str
    via: list[str]
    tls: Literal["none", "opportunistic", "required", "verify"] = "opportunistic"
    max_connections: int = 20
    max_rate: float = 0.0  # messages a second; 0: no limit


class Delivery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    workers: int = 1
    retry_first: float = 60.0  # seconds; doubles with jitter
    retry_max: float = 4000.0
    warn_after: float = 4 * 3600.0
    expire_after: float = 5 * 86400.0
    connect_timeout: float = 30.0
    command_timeout: float = 300.0
    data_timeout: float = 600.0
    max_active: int = 200
    resolver: list[str] = msgspec.field(default_factory=list)  # name servers "IP" or "IP:PORT"; empty: the system's
    postmaster: str = ""  # "" is postmaster@ the first local domain


class StoreConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    url: str = "sqlite"  # "sqlite" (DATA/mxward.db and DATA/spool) or "postgresql://..."
    keep_days: float = 30.0  # bodies of settled messages
    quarantine_days: float = 30.0
    segment_bytes: int = 64 * 1024 * 1024
    zstd_level: int = 1


class Scan(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    threads: int = 2  # a worker
    deadline: float = limits.SCAN_DEADLINE_S
    on_degraded: Literal["defer", "hold", "deliver"] = "defer"


class Web(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    address: str = "127.0.0.1:8025"
    secure_cookies: bool = False  # true behind TLS
    session_idle: float = 900.0
    session_absolute: float = 43_200.0


class Log(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    pseudonymise: bool = False


class Config(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    server: Server = msgspec.field(default_factory=Server)
    domains: Domains = msgspec.field(default_factory=Domains)
    listener: list[Listener] = msgspec.field(
        default_factory=lambda: [
            Listener(address="127.0.0.1:2525", side="inbound"),
            Listener(address="127.0.0.1:2526", side="outbound"),
        ]
    )
    tls: Tls = msgspec.field(default_factory=Tls)
    smtp: Smtp = msgspec.field(default_factory=Smtp)
    route: list[Route] = msgspec.field(default_factory=list)
    delivery: Delivery = msgspec.field(default_factory=Delivery)
    store: StoreConfig = msgspec.field(default_factory=StoreConfig)
    scan: Scan = msgspec.field(default_factory=Scan)
    web: Web = msgspec.field(default_factory=Web)
    log: Log = msgspec.field(default_factory=Log)

    @property
    def data(self) -> Path:
        return Path(self.server.data_dir)

    @property
    def hostname(self) -> str:
        return self.server.hostname or socket.getfqdn()

    @property
    def n_workers(self) -> int:
        return self.server.workers or len(os.sched_getaffinity(0))

    @property
    def postmaster(self) -> str:
        return self.delivery.postmaster or f"postmaster@{self.domains.local[0]}"

    def routes(self) -> list[Route]:
        """Configured routes; without any, local domains go to Maildirs and the rest to its MX."""
        if self.route:
            return self.route
        return [
            *(Route(domain=d, via=["maildir:maildir"]) for d in self.domains.local),
            Route(domain="*", via=["mx"]),
        ]


def load(path: str | None = None, *, data: str | None = None, environ: dict[str, str] | None = None) -> Config:
    """Read and check the configuration.

    Args: path: the file, or None for MXWARD_CONFIG, then /etc/mxward/mxward.toml if it exists; data: overrides
    server.data_dir; environ: MXWARD_SECTION_KEY=value variables (e.g. MXWARD_SERVER_HOSTNAME), TOML values.
    Raises ConfigError with file, line and key.
    """
    env = dict(os.environ) if environ is None else environ
    chosen = path or env.get("MXWARD_CONFIG") or "/etc/mxward/mxward.toml"
    text = ""
    if path or env.get("MXWARD_CONFIG") or os.path.exists(chosen):
        try:
            text = Path(chosen).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot be read: {error}", file=chosen) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise ConfigError(f"not valid TOML: {error}", file=chosen, line=int(line[1]) if line else 0) from None
    _apply_environment(document, env)
    if data:
        document.setdefault("server", {})["data_dir"] = data
    try:
        config = msgspec.convert(document, Config)
    except msgspec.ValidationError as error:
        key = _key_of(str(error))
        reason = str(error).split(" - at ")[0]
        raise ConfigError(reason, file=chosen if text else "", line=_line_of(text, key), key=key) from None
    _check(config, chosen if text else "", text)
    return config


def _apply_environment(document: dict[str, Any], env: dict[str, str]) -> None:
    sections = {f.name: f.type for f in msgspec.structs.fields(Config)}
    for name, raw in env.items():
        if not name.startswith(SECTIONS_ENV):
            continue
        section, _, key = name[len(SECTIONS_ENV) :].lower().partition("_")
        kind = sections.get(section)
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct) and key in kind.__struct_fields__):
            continue  # MXWARD_BUILD, MXWARD_CONFIG and the like
        try:
            value = tomllib.loads(f"v = {raw}")["v"]
        except tomllib.TOMLDecodeError:
            value = raw
        document.setdefault(section, {})[key] = value


def _key_of(message: str) -> str:
    at = re.search(r"at `\$\.?([^`]*)`", message)
    unknown = re.search(r"unknown field `([^`]+)`", message)
    base = at[1] if at else ""
    if unknown:
        return f"{base}.{unknown[1]}" if base else unknown[1]
    return base


def _line_of(text: str, key: str) -> int:
    """Line of a dotted key like `smtp.limits.max_errors` or `route[1].via`; 0 when it cannot be told."""
    steps = [s for s in re.split(r"\.", key) if s]
    if not steps:
        return 0
    *tables, leaf = steps
    leaf = re.sub(r"\[\d+\]|\[\.\.\.\]", "", leaf)
    table = re.sub(r"\[[^\]]*\]", "", ".".join(tables))
    index = re.search(r"\[(\d+)\]", ".".join(tables))
    wanted, seen, current = int(index[1]) if index else 0, -1, ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*(\[{1,2})\s*([\w.\-]+)\s*\]", line)
        if head:
            current = head[2]
            if current == table and head[1] == "[[":
                seen += 1
            if current == f"{table}.{leaf}".lstrip("."):
                return number
        elif re.match(rf"\s*{re.escape(leaf)}\s*=", line) and current == table and (seen < 0 or seen == wanted):
            return number
    return 0


def split_address(address: str) -> tuple[str, int]:
    """ "HOST:PORT" or "[V6]:PORT" -> (host, port). Raises ValueError."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError(f"{address!r} is not HOST:PORT")
    return host, int(port)


def networks(values: list[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(v, strict=False) for v in values]


_VIA = re.compile(r"smtp://\S+|lmtp://\S+:\d+|lmtp:unix:/\S+|maildir:\S+|mx")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")


def _check(config: Config, file: str, text: str) -> None:
    """What types cannot say."""

    def fail(key: str, reason: str, allowed: str = "") -> None:
        raise ConfigError(reason, file=file, line=_line_of(text, key), key=key, allowed=allowed)

    if not config.domains.local:
        fail("domains.local", "no local domain", "at least one domain name")
    for domain in config.domains.local:
        if not _DOMAIN.fullmatch(domain):
            fail("domains.local", f"{domain!r} is not a domain", "lower-case ASCII (xn-- form for others)")
    for i, listener in enumerate(config.listener):
        try:
            host, _ = split_address(listener.address)
            ipaddress.ip_address(host)
        except ValueError:
            fail(f"listener[{i}].address", f"{listener.address!r} is wrong", "IP:PORT or [IPv6]:PORT")
    for key in ("trusted_networks", "trusted_proxies", "xclient_hosts"):
        try:
            networks(getattr(config.smtp, key))
        except ValueError as error:
            fail(f"smtp.{key}", str(error), "networks in CIDR form")
    for i, route in enumerate(config.route):
        if route.domain != "*" and not _DOMAIN.fullmatch(route.domain.removeprefix("*.")):
            fail(f"route[{i}].domain", f"{route.domain!r} is wrong", 'a domain, "*.domain" or "*"')
        for via in route.via:
            if not _VIA.fullmatch(via):
                fail(f"route[{i}].via", f"{via!r} is wrong", "smtp://, lmtp://, lmtp:unix:/, maildir: or mx")
        if not route.via:
            fail(f"route[{i}].via", "empty", "at least one next hop")
    for section in ("limits",):
        for name in SmtpLimits.__struct_fields__:
            if getattr(getattr(config.smtp, section), name) <= 0:
                fail(f"smtp.{section}.{name}", "must be above 0")
    for name in (
        "retry_first",
        "retry_max",
        "warn_after",
        "expire_after",
        "connect_timeout",
        "command_timeout",
    ):
        if getattr(config.delivery, name) <= 0:
            fail(f"delivery.{name}", "must be above 0")
    if config.store.url != "sqlite" and not re.match(r"postgresql(\+psycopg)?://", config.store.url):
        fail("store.url", f"{config.store.url!r} is wrong", '"sqlite" or "postgresql://USER@HOST/NAME"')
    try:
        split_address(config.web.address)
    except ValueError as error:
        fail("web.address", str(error), "HOST:PORT")


def section_names() -> tuple[str, ...]:
    """Names of all sections, for documentation and tests."""
    return tuple(f.name for f in msgspec.structs.fields(Config))
