"""Whose rule packs this gateway trusts: `rules.trusted_keys` of the configuration and DATA/rules/.keys/NAME.pub."""

from __future__ import annotations

from pathlib import Path

from mxward.core.errors import ConfigError
from mxward.core.rules.trust import Trust
from mxward.server.config import Config

FOLDER = ".keys"
SUFFIX = ".pub"
MAX_KEY_BYTES = 4096  # a public key file has below 150


def trust_of(config: Config) -> Trust:
    """Keys and the duty to sign. Raises ConfigError naming the key that is none."""
    files = key_files(config)
    if not files and not config.rules.trusted_keys:
        return Trust({}, config.rules.require_signature)
    from mxward.core.rules.signature import SignatureError, parse_public_key  # loads cryptography

    keys = {}
    for number, text in enumerate(config.rules.trusted_keys):
        try:
            key = parse_public_key(text, "mxward.toml")
        except SignatureError as error:
            raise ConfigError(f"the key {error}", key=f"rules.trusted_keys[{number}]") from None
        keys[key.key_id] = key
    for path in files:
        try:
            with open(path, "rb") as file:
                key = parse_public_key(file.read(MAX_KEY_BYTES).decode("utf-8", "replace"), path.stem)
        except (SignatureError, OSError) as error:
            raise ConfigError(f"the key {error}", file=str(path)) from None
        keys[key.key_id] = key
    return Trust(keys, config.rules.require_signature)


def key_folder(config: Config) -> Path:
    """Where keys are that were trusted by command."""
    return config.data / "rules" / FOLDER


def key_files(config: Config) -> list[Path]:
    """Their files, by name."""
    folder = key_folder(config)
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
