"""What authors of rule packs do, mostly without a gateway: lint, test, profile, make keys, sign, verify, trust."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from mxward.core.rules import manage, reference
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.container import read_source
from mxward.core.rules.files import PackFiles, read_folder
from mxward.core.rules.lint import lint_pack
from mxward.core.rules.pack import PACK_NAME, Pack, parse_pack
from mxward.core.rules.profile import PackCost, Progress, no_progress, profile
from mxward.core.rules.sample import SampleResult, check_samples, coverage, samples_of
from mxward.core.rules.trust import SIGNATURE, SUMS, check_trust
from mxward.core.scan import normalise
from mxward.server.config import Config
from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest, NotFound, Refused
from mxward.server.services.rules import folder, pack_path
from mxward.server.services.scanning import opener_of
from mxward.server.trust import MAX_KEY_BYTES, SUFFIX, key_files, key_folder, trust_of

MAX_CORPUS_BYTES: Final = 512 * 1024 * 1024
MAX_CORPUS_MAIL: Final = 16 * 1024 * 1024


def lint(paths: Sequence[Path], config: Config | None = None) -> list[dict[str, Any]]:
    """What is wrong or doubtful in packs: file, line, severity, text.

    Args: config: of the gateway whose packs in force they must live beside; None: each by itself.
    Raises NotFound.
    """
    others = manage.readable_packs(folder(config)) if config else []
    found = []
    for path in paths:
        if not path.exists():
            raise NotFound(f"{path} is not there; a pack is a directory with a pack.toml, or a .tar.gz or .zip of one")
        found += [asdict(problem) for problem in lint_pack(path, others)]
    return found


def targets(config: Config, name: str) -> list[tuple[Pack, PackFiles]]:
    """The packs that a name, the path of a pack, or "" (all in force) stands for. Raises NotFound, RulePackError."""
    if name and Path(name).exists() and ("/" in name or pack_path(config, name) is None):
        files = read_source(Path(name))
        return [(parse_pack(files, Path(name)), files)]
    if name:
        path = pack_path(config, name)
        if path is None:
            raise NotFound(f"there is no rule pack {name!r}")
        paths = [path]
    else:
        enabled = [pack.name for pack in manage.list_packs(folder(config)) if pack.enabled]
        paths = [path for one in enabled if (path := pack_path(config, one)) is not None]
    read = [(path, read_folder(path)) for path in paths]
    return [(parse_pack(files, path), files) for path, files in read]


def run_samples(
    config: Config, name: str = "", progress: Progress = no_progress
) -> Iterator[tuple[Pack, list[SampleResult]]]:
    """Run the samples of one pack, or of all in force, each pack by itself. Raises NotFound, RulePackError."""
    chosen = targets(config, name)
    kinds = ("must-match", "must-not-match")
    total = sum(len(samples_of(files, kind)) for _, files in chosen for kind in kinds)
    done = 0
    for pack, files in chosen:
        results = []
        for result in check_samples(pack, files, compile_packs([pack]), opener_of(config)):
            results.append(result)
            done += 1
            progress(done, total)
        yield pack, results


def covered(pack: Pack, results: Sequence[SampleResult]) -> list[dict[str, Any]]:
    """Each rule with how many must-match samples it hit."""
    return [{"pack": pack.name, "rule": rule, "n_samples": n} for rule, n in coverage(pack, results).items()]


def profile_packs(
    config: Config, name: str = "", corpus: Path | None = None, progress: Progress = no_progress
) -> PackCost:
    """What each rule costs, over the reference mails or the messages in a directory.

    Raises NotFound, BadRequest (no mail there), RulePackError.
    """
    packs = [pack for pack, _ in targets(config, name)]
    raws = reference.everyday() if corpus is None else _mails(corpus)
    return profile(packs, raws, progress, opener_of(config))


def _mails(corpus: Path) -> list[bytes]:
    if not corpus.is_dir():
        raise NotFound(f"{corpus} is not a directory with messages")
    raws, total = [], 0
    for path in sorted(corpus.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_CORPUS_MAIL:
            raws.append(normalise(path.read_bytes()))
            total += len(raws[-1])
            if total > MAX_CORPUS_BYTES:
                raise BadRequest(f"{corpus} holds more than {MAX_CORPUS_BYTES} bytes of messages")
    if not raws:
        raise BadRequest(f"{corpus} holds no message")
    return raws


# -- signatures


def make_key(public: Path, secret: Path, password: str) -> dict[str, Any]:
    """Make a pair of key files that do not exist yet; "" leaves the secret one unencrypted. Raises Refused."""
    from mxward.core.rules import secretkey

    key = secretkey.generate()
    for path in (public, secret):
        if path.exists() or path.is_symlink():
            raise Refused(f"{path} is there already")
    _write_new(secret, secretkey.encode(key, password), 0o600)
    _write_new(public, key.public.file(), 0o644)
    return {"key": key.public.encode(), "key_id": key.public.id_text, "public": str(public), "secret": str(secret)}


def _write_new(path: Path, text: str, mode: int) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)


def sign(path: Path, key_file: Path, password: Callable[[], str], now_s: int) -> dict[str, Any]:
    """Write pack.sums and its signature into a pack directory. `password` is asked only when the key needs one.

    Raises NotFound, RulePackError when it is no pack, BadRequest when the key is none or the password is wrong.
    """
    from mxward.core.rules import secretkey, signature, sums

    if not path.is_dir():
        raise NotFound(f"{path} is not a directory; a pack is a directory with a pack.toml")
    files = read_folder(path)
    pack = parse_pack(files, path)
    try:
        text = _read_key(key_file)
        key = secretkey.parse_secret_key(text, password() if secretkey.is_encrypted(text) else "")
    except signature.SignatureError as error:
        raise BadRequest(f"{key_file} {error}") from None
    content = sums.sums_of(files)
    comment = f"timestamp:{now_s}\tpack:{pack.name}\tversion:{pack.version}"
    made = signature.sign(content, key.seed, key.public.key_id, comment)
    for name, data in ((SUMS, content), (SIGNATURE, made)):
        draft = path / f".{name}.{os.getpid()}"
        draft.write_bytes(data)
        draft.replace(path / name)
    return {"pack": pack.name, "version": pack.version, "key_id": key.public.id_text, "comment": comment}


def verify(config: Config, path: Path, keys: Sequence[str] = ()) -> dict[str, Any]:
    """Whether a trusted key signed a pack, or one of `keys` (lines of base64, or files) when given.

    Raises NotFound, RulePackError when the signature is wrong or the pack was changed, BadRequest for what is no key.
    """
    from mxward.core.rules.signature import SignatureError, parse_public_key

    if not path.exists():
        raise NotFound(f"{path} is not there")
    trust = trust_of(config)
    if keys:
        try:
            named = [parse_public_key(_read_key(Path(k)) if os.path.exists(k) else k, "given") for k in keys]
        except SignatureError as error:
            raise BadRequest(f"the key {error}") from None
        trust = type(trust)({key.key_id: key for key in named})
    files = read_source(path)
    signed = check_trust(files, type(trust)(trust.keys))
    return {"pack": parse_pack(files, path).name, **asdict(signed)}


def _read_key(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_KEY_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from None


def trusted(config: Config) -> list[dict[str, Any]]:
    """Keys whose packs count: name, key_id, key. Raises ConfigError for one that is none."""
    return [{"name": key.name, "key_id": key.id_text, "key": key.encode()} for key in trust_of(config).keys.values()]


def trust_key(context: Context, name: str, given: str) -> dict[str, Any]:
    """Trust packs that a key signs. Args: given: a line of base64, or a public key file.

    Raises BadRequest for what is no key or no name, Refused when that name or key is trusted already.
    """
    from mxward.core.rules.signature import SignatureError, parse_public_key

    try:
        key = parse_public_key(_read_key(Path(given)) if os.path.exists(given) else given, name)
    except SignatureError as error:
        raise BadRequest(f"the key {error}") from None
    if not PACK_NAME.fullmatch(name):
        raise BadRequest(f"a name of small letters, digits, dots and dashes is expected, not {name!r}")
    if any(name == path.stem for path in key_files(context.config)):
        raise Refused(f"a key named {name} is trusted already")
    if key.key_id in trust_of(context.config).keys:
        raise Refused(f"the key {key.id_text} is trusted already")
    key_folder(context.config).mkdir(mode=0o750, parents=True, exist_ok=True)
    _write_new(key_folder(context.config) / f"{name}{SUFFIX}", key.file(), 0o640)
    context.audit("rules.trust", name, key_id=key.id_text)
    return {"name": name, "key_id": key.id_text}


def distrust_key(context: Context, name: str) -> dict[str, Any]:
    """Trust a key no longer; packs in force that it signed stay unless signatures are required. Raises NotFound."""
    path = next((path for path in key_files(context.config) if path.stem == name), None)
    if path is None:
        where = " by command (keys of mxward.toml are taken out there)"
        raise NotFound(f"no key named {name!r} was trusted{where}")
    path.unlink()
    context.audit("rules.distrust", name)
    return {"name": name}
