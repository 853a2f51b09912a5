"""Users: passwords, roles, the last administrator, uniform time."""

from __future__ import annotations

import time

import pytest

from mxward.server.services import users
from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest, NotFound, Refused


def test_a_made_up_password_works_and_must_be_changed(context: Context) -> None:
    password = users.create(context, "jo", "helpdesk")
    user = users.verify(context, "jo", password)
    assert user is not None
    assert (user.role, user.must_change, user.disabled) == ("helpdesk", True, False)
    users.set_password(context, "jo", "correct horse battery")
    user = users.verify(context, "jo", "correct horse battery")
    assert user is not None
    assert not user.must_change
    assert users.verify(context, "jo", password) is None


@pytest.mark.parametrize("password", ["", "wrong", "x" * 5000, "\ud800", "\0"])
def test_wrong_passwords_and_names_say_the_same(context: Context, password: str) -> None:
    users.create(context, "jo", "admin", "a long enough password")
    assert users.verify(context, "jo", password) is None
    assert users.verify(context, "nobody", password) is None
    assert users.verify(context, "No Such Name\0", password) is None


def test_an_unknown_user_costs_as_much_as_a_wrong_password(context: Context) -> None:
    users.create(context, "jo", "admin", "a long enough password")
    users.verify(context, "nobody", "warm up")

    def cost(name: str) -> float:
        begin = time.process_time()
        users.verify(context, name, "wrong password here")
        return time.process_time() - begin

    known, unknown = min(cost("jo") for _ in range(3)), min(cost("nobody") for _ in range(3))
    assert 0.5 < known / unknown < 2


def test_disabled_users_stay_out_and_come_back(context: Context) -> None:
    users.create(context, "one", "admin", "a long enough password")
    users.create(context, "two", "admin", "a long enough password")
    users.set_disabled(context, "one", True)
    assert users.verify(context, "one", "a long enough password") is None
    with pytest.raises(Refused, match="last administrator"):
        users.set_disabled(context, "two", True)
    users.set_disabled(context, "one", False)
    assert users.verify(context, "one", "a long enough password")


@pytest.mark.parametrize(
    ("name", "role", "password", "words"),
    [
        ("Jo", "admin", None, "cannot be a user name"),
        ("", "admin", None, "cannot be a user name"),
        ("jo", "king", None, "is not a role"),
        ("jo", "admin", "short", "at least 12"),
        ("jo", "admin", "x" * 2000, "at most 1024"),
    ],
)
def test_bad_users_are_refused(context: Context, name: str, role: str, password: str | None, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        users.create(context, name, role, password)
    assert users.entries(context) == []


def test_names_are_taken_once_and_missing_ones_are_said(context: Context) -> None:
    users.create(context, "jo", "admin")
    with pytest.raises(Refused, match="already"):
        users.create(context, "jo", "auditor")
    for action in (lambda: users.set_password(context, "al", None), lambda: users.set_disabled(context, "al", True)):
        with pytest.raises(NotFound, match="'al'"):
            action()


def test_what_is_shown_never_has_the_hash(context: Context) -> None:
    users.create(context, "jo", "admin")
    (row,) = users.entries(context)
    assert "argon2" in row.password_hash
    assert "argon2" not in str(users.as_dict(row))
