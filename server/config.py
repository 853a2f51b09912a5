"""The configuration file: /etc/mxward/mxward.toml, --config, or MXWARD_* variables; validated with file, line, key.

Everything staff change daily (policies, rule packs, users) is not here but in the data directory and the store.
An absent file is a complete configuration: the embedded defaults. Reading is in `config_source.py`, checks beyond
types in `config_check.py`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from mxward.core import limits
from mxward.core.errors import ConfigError
from mxward.server import config_check, config_source
from mxward.server.addresses import join_address, networks, split_address

__all__ = ["Config", "Listener", "Route", "join_address", "load", "networks", "section_names", "split_address"]

DEFAULT_PATH = "/etc/mxward/mxward.toml"


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


class Sandbox(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The processes in which attachments are opened (docs/attachments.md)."""

    idle: int = 2  # workers kept ready, of each smtp process
    memory_bytes: int = 256 * 1024 * 1024  # that one worker may take
    user: str = ""  # whom workers run as when started as root; "": mxward-sandbox when there is one, else nobody
    ocr: str = ""  # languages in which text in pictures is read, as tesseract names them ("eng"); "": it is not read


class Rules(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a rule pack must be and do before it judges mail (docs/rules.md)."""

    trusted_keys: list[str] = msgspec.field(default_factory=list)  # minisign public keys, beside DATA/rules/.keys
    require_signature: bool = False  # refuse packs that no trusted key signed, also those that are there already
    messages_per_second: float = 500.0  # that one core must still scan with a new pack; 0: do not measure
    worst_case: float = 0.5  # seconds of CPU that the worst message may take with a new pack
    canary_share: float = 0.05  # of harmless messages: a pack that would keep back more is refused
    canary_messages: int = 200  # delivered messages that a new pack is tried on, the latest; 0: our own samples only
    automatic_rollback: bool = True  # when a new pack turns out to match most mail


class Engine(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Another scanner that is asked about each message and what its attachments hold (docs/attachments.md)."""

    name: str  # of its hits, "NAME:SIGNATURE", and in `mxward status`
    kind: Literal["clamd", "icap", "command"]
    servers: list[str] = msgspec.field(
        default_factory=list
    )  # "unix:/PATH", "HOST:PORT"; asked in order until one answers
    service: str = ""  # icap: the path behind the host, such as "avscan"
    method: Literal["RESPMOD", "REQMOD"] = "RESPMOD"  # icap
    command: list[str] = msgspec.field(
        default_factory=list
    )  # command: program and arguments; content on standard input
    clean_status: list[int] = msgspec.field(default_factory=lambda: [0])  # command: exit status for nothing found
    found_status: list[int] = msgspec.field(default_factory=lambda: [1])  # command: for something; its output names it
    scan: list[Literal["message", "parts", "opened"]] = msgspec.field(
        default_factory=lambda: ["message", "opened"]
    )  # what it is given: the message as received, its decoded parts, what was found inside these
    timeout: float = 10.0  # seconds for one message
    on_down: Literal["defer", "mark"] = "defer"  # "mark": the message is judged without it, not inspected "engine:NAME"


class Web(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    address: str = "127.0.0.1:8025"
    hosts: list[str] = msgspec.field(default_factory=list)  # names it answers to, beside server.hostname and addresses
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
    sandbox: Sandbox = msgspec.field(default_factory=Sandbox)
    engine: list[Engine] = msgspec.field(default_factory=list)
    rules: Rules = msgspec.field(default_factory=Rules)
    web: Web = msgspec.field(default_factory=Web)
    log: Log = msgspec.field(default_factory=Log)

    @property
    def data(self) -> Path:
        return Path(self.server.data_dir)

    @property
    def hostname(self) -> str:
        """The configured name, or the machine's; a hosts file that calls the machine "localhost" is not believed."""
        if self.server.hostname:
            return self.server.hostname
        name = socket.getfqdn()
        return socket.gethostname() if name.split(".")[0] == "localhost" else name

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


def load(
    path: str | None = None,
    *,
    data: str | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Read and check the configuration.

    Args: path: the file, or None for MXWARD_CONFIG, then /etc/mxward/mxward.toml if it exists; data: overrides
    server.data_dir; environ: MXWARD_SECTION_KEY=value variables (e.g. MXWARD_SERVER_HOSTNAME), TOML values;
    overrides: dotted keys that win over all (`mxward run --set`).
    Raises ConfigError with file, line and key.
    """
    env = os.environ if environ is None else environ
    chosen = path or env.get("MXWARD_CONFIG", "")
    file = chosen or (DEFAULT_PATH if os.path.exists(DEFAULT_PATH) else "")
    text = config_source.read(file) if file else ""
    document = config_source.parse(text, file)
    from_outside = {**dict(config_source.environment_settings(env, variables())), **(overrides or {})}
    if data:
        from_outside["server.data_dir"] = data
    for key, value in from_outside.items():
        config_source.place(document, key, value)

    def fail(key: str, reason: str, allowed: str) -> None:
        inside = bool(file) and not any(key == k or key.startswith((f"{k}.", f"{k}[")) for k in from_outside)
        line = config_source.line_of(text, key) if inside else 0
        raise ConfigError(reason, file=file if inside else "", line=line, key=key, allowed=allowed)

    try:
        config = msgspec.convert(document, Config)
    except msgspec.ValidationError as error:
        fail(*config_check.explain_type_error(error, Config))
        raise AssertionError("unreachable") from error
    config_check.check(config, fail)
    return config


def variables() -> dict[str, str]:
    """Every MXWARD_* variable that sets a value, and its key: {"MXWARD_SMTP_LIMITS_MAX_ERRORS": "smtp.limits...."}."""
    return {"MXWARD_" + key.upper().replace(".", "_"): key for key in key_names()}


def key_names(kind: type = Config, prefix: str = "") -> list[str]:
    """Dotted names of all single values and whole lists, in the order of the schema."""
    out: list[str] = []
    for field in msgspec.structs.fields(kind):
        name = f"{prefix}{field.name}"
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            out += key_names(field.type, f"{name}.")
        else:
            out.append(name)
    return out


def section_names() -> tuple[str, ...]:
    """Names of all sections, for documentation and tests."""
    return tuple(f.name for f in msgspec.structs.fields(Config))
