"""What the types of the configuration cannot say: addresses, domains, files, values that exclude each other.

Also puts msgspec's complaints about types into words an administrator can act on.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from mxward.server.addresses import networks, split_address

if TYPE_CHECKING:
    from mxward.server.config import Config, Engine, Listener, Route

Fail = Callable[[str, str, str], None]  # key, reason, allowed

VIA = re.compile(r"smtp://\S+|lmtp://\S+:\d+|lmtp:unix:/\S+|maildir:\S+|mx")
_SERVER = re.compile(r"unix:/[^\x00-\x20]{1,100}|(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}")
DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_WORDS = {
    "int": "a whole number", "float": "a number", "str": 'a string in quotes, "like this"', "bool": "true or false",
    "array": "a list, [like, this]", "object": "a table", "list": "a list, [like, this]",
}  # fmt: skip
# No sign may be negative, and these make no sense at zero either.
_POSITIVE = {
    "delivery": (
        "workers", "retry_first", "retry_max", "warn_after", "expire_after", "connect_timeout", "command_timeout",
        "data_timeout", "max_active",
    ),
    "store": ("keep_days", "quarantine_days", "segment_bytes"),
    "scan": ("threads", "deadline"),
    "web": ("session_idle", "session_absolute"),
}  # fmt: skip


def check(config: Config, fail: Fail) -> None:
    """Call `fail` (which raises) for the first thing that is wrong."""
    _check_server(config, fail)
    _check_domains(config, fail)
    for i, listener in enumerate(config.listener):
        _check_listener(i, listener, fail)
    if not config.listener:
        fail("listener", "there is none", "at least one [[listener]]")
    for i, route in enumerate(config.route):
        _check_route(i, route, fail)
    _check_smtp(config, fail)
    for section, names in _POSITIVE.items():
        for name in names:
            if getattr(getattr(config, section), name) <= 0:
                fail(f"{section}.{name}", "is too small", "a number above 0")
    _check_rules(config, fail)
    _check_sandbox(config, fail)
    for i, engine in enumerate(config.engine):
        _check_engine(i, engine, [other.name for other in config.engine[:i]], fail)
    _check_rest(config, fail)


def _check_server(config: Config, fail: Fail) -> None:
    if not config.server.data_dir:
        fail("server.data_dir", "is empty", "a directory")
    if not 0 <= config.server.workers <= 256:
        fail("server.workers", "is out of range", "0 (one a core) to 256")
    if config.server.hostname and not DOMAIN.fullmatch(config.server.hostname.lower()):
        fail("server.hostname", f"{config.server.hostname!r} is not a host name", "a fully qualified name")


def _check_domains(config: Config, fail: Fail) -> None:
    if not config.domains.local:
        fail("domains.local", "no local domain", "at least one domain name")
    for domain in config.domains.local:
        if not DOMAIN.fullmatch(domain):
            fail("domains.local", f"{domain!r} is not a domain", "lower-case ASCII (xn-- form for others)")
    if config.domains.recipients != "any":
        _check_file("domains.recipients", config.domains.recipients, fail, '"any" or a file with an address a line')


def _check_file(key: str, path: str, fail: Fail, allowed: str) -> None:
    if not os.access(path, os.R_OK) or not os.path.isfile(path):
        fail(key, f"{path!r} is not a readable file", allowed)


def _check_listener(i: int, listener: Listener, fail: Fail) -> None:
    try:
        host, _ = split_address(listener.address)
        ipaddress.ip_address(host)
    except ValueError:
        fail(f"listener[{i}].address", f"{listener.address!r} is wrong", "IP:PORT or [IPv6]:PORT")
    if listener.require_tls and listener.tls == "none":
        fail(f"listener[{i}].require_tls", 'is true while tls is "none"', 'tls = "starttls" or "implicit"')


def _check_route(i: int, route: Route, fail: Fail) -> None:
    if route.domain != "*" and not DOMAIN.fullmatch(route.domain.removeprefix("*.")):
        fail(f"route[{i}].domain", f"{route.domain!r} is wrong", 'a domain, "*.domain" or "*"')
    if not route.via:
        fail(f"route[{i}].via", "is empty", "at least one next hop")
    for via in route.via:
        if not VIA.fullmatch(via):
            fail(f"route[{i}].via", f"{via!r} is wrong", "smtp://, lmtp://, lmtp:unix:/, maildir: or mx")
    if route.max_connections < 1:
        fail(f"route[{i}].max_connections", "is too small", "a number above 0")
    if route.max_rate < 0:
        fail(f"route[{i}].max_rate", "is negative", "messages a second; 0 for no limit")


def _check_smtp(config: Config, fail: Fail) -> None:
    for key in ("trusted_networks", "trusted_proxies", "xclient_hosts"):
        try:
            networks(getattr(config.smtp, key))
        except ValueError as error:
            fail(f"smtp.{key}", str(error), "networks in CIDR form")
    if not config.smtp.banner.isascii() or not config.smtp.banner.isprintable():
        fail("smtp.banner", "has characters that a banner cannot carry", "printable ASCII")
    for name in config.smtp.limits.__struct_fields__:
        if getattr(config.smtp.limits, name) <= 0:
            fail(f"smtp.limits.{name}", "is too small", "a number above 0")


def _check_rules(config: Config, fail: Fail) -> None:
    rules = config.rules
    if rules.messages_per_second < 0 or rules.canary_messages < 0:
        name = "messages_per_second" if rules.messages_per_second < 0 else "canary_messages"
        fail(f"rules.{name}", "is negative", "0 or more")
    if not 0.01 <= rules.worst_case <= config.scan.deadline:
        fail("rules.worst_case", "is out of range", "0.01 to scan.deadline, in seconds")
    if not 0 < rules.canary_share <= 1:
        fail("rules.canary_share", "is out of range", "above 0, at most 1")
    for key in rules.trusted_keys:
        # what it holds is checked where it is used: cryptography is not loaded for every command
        if not re.fullmatch(r"RW[A-Za-z0-9+/]{54}", key):
            fail("rules.trusted_keys", f"{key!r} is no minisign public key", "56 characters that begin with RW")


def _check_sandbox(config: Config, fail: Fail) -> None:
    sandbox = config.sandbox
    if not 1 <= sandbox.idle <= 64:
        fail("sandbox.idle", "is out of range", "1 to 64 processes")
    if not 64 << 20 <= sandbox.memory_bytes <= 16 << 30:
        fail("sandbox.memory_bytes", "is out of range", "64 MB to 16 GB")
    if not re.fullmatch(r"(?:[a-z][a-z_]{2,19}(?:\+[a-z][a-z_]{2,19}){0,7})?", sandbox.ocr):
        fail("sandbox.ocr", f"{sandbox.ocr!r} is no list of languages", '"eng", "eng+deu", or "" for none')
    if sandbox.user and not is_unprivileged(sandbox.user):
        fail("sandbox.user", f"{sandbox.user!r} is no user of this machine, or is root", "an unprivileged user")


def _check_engine(i: int, engine: Engine, others: list[str], fail: Fail) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", engine.name) or engine.name in others:
        fail(f"engine[{i}].name", f"{engine.name!r} is wrong or there twice", "lower-case letters, digits and -")
    if not 0.1 <= engine.timeout <= 300:
        fail(f"engine[{i}].timeout", "is out of range", "0.1 to 300 seconds")
    if not engine.scan:
        fail(f"engine[{i}].scan", "is empty", '"message", "parts", "opened"')
    if engine.kind == "command":
        if not engine.command or not os.path.isabs(engine.command[0]) or not os.access(engine.command[0], os.X_OK):
            fail(f"engine[{i}].command", "names no program that can be run", "an absolute path, then its arguments")
        if set(engine.clean_status) & set(engine.found_status):
            fail(f"engine[{i}].found_status", "has a status that clean_status has, too", "different ones")
        return
    if not engine.servers:
        fail(f"engine[{i}].servers", "is empty", '"unix:/PATH" or "HOST:PORT"')
    for server in engine.servers:
        if not _SERVER.fullmatch(server):
            fail(f"engine[{i}].servers", f"{server!r} is wrong", '"unix:/PATH", "HOST:PORT" or "[IPv6]:PORT"')
    if engine.kind == "icap" and not re.fullmatch(r"[\x21-\x7e]{1,200}", engine.service):
        fail(f"engine[{i}].service", "is missing or no path", 'the service, such as "avscan"')


def is_unprivileged(user: str) -> bool:
    """Is there a user of this name, which is not root?"""
    import pwd  # for a setting that few make

    try:
        return pwd.getpwnam(user).pw_uid != 0
    except KeyError:
        return False


def _check_rest(config: Config, fail: Fail) -> None:
    if bool(config.tls.certificate) != bool(config.tls.key):
        fail("tls", "certificate and key go together", "both, or neither for a self-signed one")
    for name in ("certificate", "key"):
        if path := getattr(config.tls, name):
            _check_file(f"tls.{name}", path, fail, "a PEM file")
    if config.delivery.retry_max < config.delivery.retry_first:
        fail("delivery.retry_max", "is below delivery.retry_first", f"at least {config.delivery.retry_first}")
    if config.store.url != "sqlite" and not re.match(r"postgresql(\+psycopg)?://", config.store.url):
        fail("store.url", "is wrong", '"sqlite" or "postgresql://USER@HOST/NAME"')  # it may hold a password: not shown
    if not 1 <= config.store.zstd_level <= 19:
        fail("store.zstd_level", "is out of range", "1 to 19")
    try:
        split_address(config.web.address)
    except ValueError as error:
        fail("web.address", str(error), "HOST:PORT")


def explain_type_error(error: msgspec.ValidationError, root: type) -> tuple[str, str, str]:
    """(key, reason, allowed) of a value of the wrong type or an unknown key."""
    message = str(error)
    at = re.search(r" - at `\$\.?([^`]*)`", message)
    base = at[1] if at else ""
    reason = message[: at.start()] if at else message
    if unknown := re.search(r"unknown field `([^`]+)`", reason):
        return _explain_unknown(base, unknown[1], root)
    if missing := re.search(r"missing required field `([^`]+)`", reason):
        return base, f"{missing[1]} is missing", ""
    kind = type_at(root, base)
    choices = ", ".join(f'"{c}"' for c in get_args(kind)) if get_origin(kind) is Literal else ""
    if wrong := re.search(r"Expected `(\w+)[^`]*`, got `(\w+)", reason):
        allowed = choices or _WORDS.get(wrong[1], wrong[1])
        return base, f"is {_WORDS.get(wrong[2], wrong[2])}", allowed
    if enum := re.search(r"Invalid enum value (.+)", reason):
        return base, f"{enum[1]} is not known", choices
    return base, reason, choices


def _explain_unknown(base: str, name: str, root: type) -> tuple[str, str, str]:
    known = list(getattr(type_at(root, base), "__struct_fields__", ()))
    close = difflib.get_close_matches(name, known, 1)
    reason = f"is not a known key; did you mean {close[0]}?" if close else "is not a known key"
    return f"{base}.{name}".lstrip("."), reason, ", ".join(known)


def type_at(root: type, key: str) -> Any:
    """The type at a dotted key such as `listener[0].tls`; None when there is no such key."""
    here: Any = root
    for step in re.findall(r"[^.\[\]]+|\[[^\]]*\]", key):
        if step.startswith("["):
            here = (get_args(here) or (None,))[0]
        elif hasattr(here, "__struct_fields__"):
            here = get_type_hints(here).get(step)
        else:
            return None
    return here
