"""The server's TLS: the configured certificate, or a self-signed one made on first start."""

from __future__ import annotations

import datetime
import fcntl
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mxward.core.errors import ConfigError
from mxward.server.clock import SYSTEM_CLOCK
from mxward.server.config import Config

VALID_DAYS = 3650  # nobody renews what nobody verifies; a real certificate is configured


def server_context(config: Config) -> ssl.SSLContext:
    """TLS 1.2 or newer for STARTTLS and implicit TLS. Raises ConfigError when certificate or key are unusable."""
    if config.tls.certificate:
        certificate, key = Path(config.tls.certificate), Path(config.tls.key or config.tls.certificate)
    else:
        certificate, key = ensure_self_signed(config.data / "tls", config.hostname)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if config.tls.minimum == "1.3" else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"cannot be used: {error}", key="tls.certificate", file=str(certificate)) from None
    return context


def ensure_self_signed(directory: Path, hostname: str) -> tuple[Path, Path]:
    """Paths of DATA/tls/{cert,key}.pem, made when one is missing; safe when several workers start at once."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    certificate, key = directory / "cert.pem", directory / "key.pem"
    with open(directory / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (certificate.exists() and key.exists()):
            key_pem, certificate_pem = _make(hostname)
            _write(key, key_pem, 0o600)
            _write(certificate, certificate_pem, 0o644)
    return certificate, key


def _write(path: Path, data: bytes, mode: int) -> None:
    """Whole or not at all, durable, never readable by others for a moment."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(new, path)


def _make(hostname: str) -> tuple[bytes, bytes]:
    """(key, certificate) in PEM: ECDSA P-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:64])])
    now = SYSTEM_CLOCK.now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256())
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key_pem, certificate.public_bytes(serialization.Encoding.PEM)
