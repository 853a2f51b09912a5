"""Users of the console: passwords (Argon2id), roles, and who may be switched off. Sessions are the console's."""

from __future__ import annotations

import functools
import re
import secrets
from dataclasses import replace
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest, NotFound, Refused
from mxward.server.store.api import UserRow

# Role -> what it may do. Deny by default: what is not listed for a role it may not.
ROLES: Final[dict[str, str]] = {
    "admin": "everything, users and keys included",
    "security": "messages, quarantine, queue and rules",
    "helpdesk": "messages and the release of spam",
    "auditor": "reading, nothing else",
}
MIN_PASSWORD: Final = 12  # NCSC: length over composition
MAX_PASSWORD: Final = 1024  # bytes; more is work for an attacker to give us
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else
_HASHER: Final = PasswordHasher()


def verify(context: Context, name: str, password: str) -> UserRow | None:
    """The user, when name and password are right and the user is not disabled; None otherwise.

    A wrong name costs the same Argon2 computation as a wrong password, so that the answer's time tells nothing.
    """
    user = context.store.user(name) if _NAME.fullmatch(name) else None
    if len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
        password, user = "", None
    try:
        _HASHER.verify(user.password_hash if user else _dummy_hash(), password.encode("utf-8", "replace"))
    except (VerificationError, InvalidHashError):
        return None
    if user is None or user.disabled:
        return None
    if _HASHER.check_needs_rehash(user.password_hash):
        user = replace(user, password_hash=_HASHER.hash(password))
        context.store.put_user(user)
    return user


@functools.cache
def _dummy_hash() -> str:
    return _HASHER.hash(secrets.token_bytes(16))


def create(context: Context, name: str, role: str, password: str | None = None) -> str:
    """Make a user; without a password one is made up. It must be changed at the first log-in. Returns it.

    Raises BadRequest for a bad name, role or password, Refused when the name is taken.
    """
    if not _NAME.fullmatch(name):
        raise BadRequest(f"{name!r} cannot be a user name: 1 to 64 of a-z 0-9 . _ @ - are allowed")
    if role not in ROLES:
        raise BadRequest(f"{role!r} is not a role: {', '.join(ROLES)} are")
    if context.store.user(name):
        raise Refused(f"there is a user {name!r} already")
    chosen = _one_time() if password is None else password
    _check(chosen)
    context.store.put_user(
        UserRow(name, _HASHER.hash(chosen), role, context.clock.now_us(), disabled=False, must_change=True)
    )
    context.audit("user.create", name, role=role)
    return chosen


def set_password(context: Context, name: str, password: str | None, *, must_change: bool = False) -> str:
    """Give a user a new password (None: a made-up one, to be changed at the next log-in). Returns it."""
    user = _get(context, name)
    chosen = _one_time() if password is None else password
    _check(chosen)
    row = replace(user, password_hash=_HASHER.hash(chosen), must_change=must_change or password is None)
    context.store.put_user(row)
    context.audit("user.password", name, must_change=row.must_change)
    return chosen


def set_disabled(context: Context, name: str, disabled: bool) -> None:
    """Switch a user off or on again. The last administrator cannot be switched off: Refused."""
    user = _get(context, name)
    if (
        disabled
        and user.role == "admin"
        and not any(u.role == "admin" and not u.disabled and u.name != name for u in context.store.users())
    ):
        raise Refused(f"{name!r} is the last administrator")
    context.store.put_user(replace(user, disabled=disabled))
    context.audit("user.disable" if disabled else "user.enable", name)


def entries(context: Context) -> list[UserRow]:
    """All users, by name."""
    return sorted(context.store.users(), key=lambda user: user.name)


def as_dict(user: UserRow) -> dict[str, Any]:
    """What may be shown of a user: never the hash."""
    return {
        "name": user.name, "role": user.role, "created_at": user.created_at / 1e6, "disabled": user.disabled,
        "must_change": user.must_change,
    }  # fmt: skip


def _get(context: Context, name: str) -> UserRow:
    user = context.store.user(name)
    if user is None:
        raise NotFound(f"there is no user {name!r}")
    return user


def _check(password: str) -> None:
    if len(password) < MIN_PASSWORD:
        raise BadRequest(f"a password has at least {MIN_PASSWORD} characters")
    if len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
        raise BadRequest(f"a password has at most {MAX_PASSWORD} bytes")


def _one_time() -> str:
    """20 characters, 99 bits, in groups that can be read over a telephone."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(20))
    return "-".join(letters[i : i + 5] for i in range(0, 20, 5))
