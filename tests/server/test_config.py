"""The configuration: what is accepted, and that every fault is told with file, line, key and what is allowed."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mxward.core.errors import ConfigError
from mxward.server import config as configuration
from mxward.server.addresses import join_address, split_address
from mxward.server.config_source import lines_of

# text, line, key, words of the reason, words of what is allowed
FAULTS = [
    ("[smtp\n", 1, "", "not valid TOML", ""),
    ("a = 1\na = 2\n", 2, "", "not valid TOML", ""),
    ("[server]\nworkers = 'two'\n", 2, "server.workers", "is a string", "a whole number"),
    ("[server]\nworkers = -1\n", 2, "server.workers", "out of range", "0 (one a core) to 256"),
    ("[server]\nwokers = 2\n", 2, "server.wokers", "did you mean workers?", "data_dir, hostname, workers"),
    ("[sever]\n", 1, "sever", "did you mean server?", "server, domains"),
    ("[server]\nhostname = 'a b'\n", 2, "server.hostname", "not a host name", "fully qualified"),
    ("[domains]\nlocal = []\n", 2, "domains.local", "no local domain", "at least one"),
    ("[domains]\nlocal = [\n 'Trust.example',\n]\n", 2, "domains.local", "'Trust.example' is not a domain", "ASCII"),
    ("[domains]\nlocal = 'x.example'\n", 2, "domains.local", "is a string", "a list"),
    ("[domains]\nrecipients = '/nowhere'\n", 2, "domains.recipients", "not a readable file", '"any"'),
    ("[[listener]]\nside = 'inbound'\n", 1, "listener[0]", "address is missing", ""),
    ("[[listener]]\naddress='1.2.3.4:25'\nside='in'\n", 3, "listener[0].side", "'in' is not known", '"inbound", "outb'),
    ("[[listener]]\naddress='1.2.3.4:25'\nside='inbound'\n[[listener]]\naddress='x:1'\nside='inbound'\n", 5,
     "listener[1].address", "'x:1' is wrong", "IP:PORT"),
    ("[[listener]]\naddress='::1:25'\nside='inbound'\n", 2, "listener[0].address", "'::1:25' is wrong", "[IPv6]:PORT"),
    ("[[listener]]\naddress='1.2.3.4:25'\nside='inbound'\ntls='none'\nrequire_tls=true\n", 5,
     "listener[0].require_tls", 'true while tls is "none"', "starttls"),
    ("listener = []\n", 1, "listener", "there is none", "at least one"),
    ("[smtp.limits]\nmax_errors = 0\n", 2, "smtp.limits.max_errors", "too small", "above 0"),
    ("[smtp]\nlimits.max_errors = 0\n", 2, "smtp.limits.max_errors", "too small", "above 0"),
    ("smtp.limits.max_errors = 0\n", 1, "smtp.limits.max_errors", "too small", "above 0"),
    ("[smtp]\ntrusted_networks = ['10.0.0.0/33']\n", 2, "smtp.trusted_networks", "10.0.0.0/33", "CIDR"),
    ("[smtp]\nbanner = \"a\\r\\nb\"\n", 2, "smtp.banner", "cannot carry", "ASCII"),
    ("[[route]]\ndomain='*'\nvia=['http://x']\n", 3, "route[0].via", "'http://x' is wrong", "smtp://"),
    ("[[route]]\ndomain='*'\nvia=[]\n", 3, "route[0].via", "is empty", "next hop"),
    ("[[route]]\ndomain='..'\nvia=['mx']\n", 2, "route[0].domain", "'..' is wrong", "*.domain"),
    ("[[route]]\ndomain='*'\nvia=['mx']\nmax_rate=-1.0\n", 4, "route[0].max_rate", "is negative", "no limit"),
    ("[delivery]\nretry_first = 0\n", 2, "delivery.retry_first", "too small", "above 0"),
    ("[delivery]\nretry_max = 1\n", 2, "delivery.retry_max", "below delivery.retry_first", "at least 60"),
    ("[tls]\nminimum = '1.1'\n", 2, "tls.minimum", "'1.1' is not known", '"1.2", "1.3"'),
    ("[tls]\nkey = '/k'\n", 1, "tls", "go together", "self-signed"),
    ("[store]\nurl = 'mysql://u:secret@h/d'\n", 2, "store.url", "is wrong", "postgresql://"),
    ("[store]\nzstd_level = 99\n", 2, "store.zstd_level", "out of range", "1 to 19"),
    ("[web]\naddress = '8025'\n", 2, "web.address", "not HOST:PORT", "HOST:PORT"),
    ("[web]\nsecure_cookies = 'yes'\n", 2, "web.secure_cookies", "is a string", "true or false"),
    ("[log]\nlevel = 'loud'\n", 2, "log.level", "'loud' is not known", '"debug"'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "key", "reason", "allowed"), FAULTS, ids=lambda v: str(v)[:30])
def test_every_fault_is_told_precisely(
    tmp_path: Path, text: str, line: int, key: str, reason: str, allowed: str
) -> None:
    file = tmp_path / "mxward.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        configuration.load(str(file), environ={})
    error = caught.value
    assert (error.file, error.line, error.key) == (str(file), line, key)
    assert reason in error.reason
    assert allowed in error.allowed
    assert "secret" not in str(error)
    assert str(error).startswith(f"{file}:{line}: ")


def test_no_file_is_a_complete_configuration() -> None:
    config = configuration.load(environ={}) if not Path(configuration.DEFAULT_PATH).exists() else configuration.Config()
    assert [(listener.address, listener.side) for listener in config.listener] == [
        ("127.0.0.1:2525", "inbound"),
        ("127.0.0.1:2526", "outbound"),
    ]
    assert config.web.address == "127.0.0.1:8025"
    assert [(route.domain, route.via) for route in config.routes()] == [
        ("trust.example", ["maildir:maildir"]),
        ("*", ["mx"]),
    ]
    assert config.postmaster == "postmaster@trust.example"
    assert config.n_workers >= 1


def test_order_of_precedence(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[smtp.limits]\nmax_errors = 1\nmax_recipients = 1\n[server]\ndata_dir = '/one'\n")
    env = {
        "MXWARD_SMTP_LIMITS_MAX_ERRORS": "2",
        "MXWARD_SMTP_LIMITS_MAX_RECIPIENTS": "2",
        "MXWARD_SERVER_HOSTNAME": "mx.trust.example",
        "MXWARD_BUILD": "asan",
        "MXWARD_CONFIG": str(file),
    }
    config = configuration.load(environ=env, data="/two", overrides={"smtp.limits.max_errors": 3})
    assert config.smtp.limits.max_errors == 3
    assert config.smtp.limits.max_recipients == 2
    assert config.hostname == "mx.trust.example"
    assert str(config.data) == "/two"


def test_a_wrong_variable_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[log]\nlevel = 'info'\n")
    with pytest.raises(ConfigError) as caught:
        configuration.load(str(file), environ={"MXWARD_LOG_LEVEL": "loud"})
    assert (caught.value.file, caught.value.line, caught.value.key) == ("", 0, "log.level")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "c.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"c\.toml: (cannot be read|is not UTF-8)"):
        configuration.load(str(file), environ={})


def test_every_key_has_a_variable_and_a_line() -> None:
    text = "".join(f"{key} = 0\n" for key in configuration.key_names())
    assert set(configuration.variables().values()) == set(configuration.key_names()) == set(lines_of(text))
    assert "MXWARD_SMTP_LIMITS_MAX_ERRORS" in configuration.variables()


@pytest.mark.parametrize("address", ["127.0.0.1:25", "[::1]:2525", "localhost:0"])
def test_addresses_both_ways(address: str) -> None:
    assert join_address(*split_address(address)) == address


@pytest.mark.parametrize("address", ["", "25", ":25", "h:", "h:65536", "h:-1", "::1:25", "h:٣"])
def test_wrong_addresses(address: str) -> None:
    with pytest.raises(ValueError):
        split_address(address)


def test_hostname_is_the_configured_one_or_the_machines() -> None:
    assert (
        configuration.load(None, environ={"MXWARD_SERVER_HOSTNAME": '"mx.trust.example"'}).hostname
        == "mx.trust.example"
    )
    assert not configuration.load(None, environ={}).hostname.startswith("localhost") or socket.gethostname().startswith(
        "localhost"
    )
