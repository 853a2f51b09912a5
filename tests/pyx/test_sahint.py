"""What tests of header fields need, against the same by Python's own means."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mxward.pyx import sahint
from mxward.pyx.sacount import count_illegal
from mxward.pyx.sahint import hints

PIECES = [
    b"jo", b"JO", b"@", b".", b":", b" ", b"rly-", b"RLY", b"-", b"hotmail.com", b"groups.msn.com", b"%TO", b"%", b"A",
    b"_", b"a", b"\xe9", b"\0", b"\n", b"%A-",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join)


def told(sender: bytes, recipient: bytes, subject: bytes, received: bytes, fields: bytes, section: bytes) -> int:
    user, sign, _ = recipient.partition(b"@")
    behind = subject.rpartition(b":")[2]
    return sum(
        flag
        for flag, holds in (
            (sahint.TEMPLATE, re.search(rb"%[A-Z][A-Z_-]", fields)),
            (sahint.CAPITALS, re.search(rb"[A-Z]", subject) and not re.search(rb"[a-z]", behind)),
            (sahint.CALLED, recipient and user in subject.lower()),
            (sahint.RELAY, b"rly-" in received.lower()),
            (sahint.HOTMAIL, b"hotmail.com" in received),
            (sahint.IN_SENDER, user and sign and user + sign in sender),
            (sahint.GROUPS, not received or b"groups.msn.com" in received),
            (sahint.ILLEGAL, count_illegal(section)),
        )
        if holds
    )


@given(texts, texts.map(bytes.lower), texts, texts, texts, texts)
@example(b"x-jo@b", b"jo@a", b"Re: JO", b"by rly-x hotmail.com groups.msn.com", b"X: %TO_NAME", b"X: \xe9")
@example(b"", b"", b"", b"", b"", b"")
@example(b"@", b"@", b"", b"rly", b"%A", b"")
def test_flags_are_those_of_python(
    sender: bytes, recipient: bytes, subject: bytes, received: bytes, fields: bytes, section: bytes
) -> None:
    given_fields = (sender, recipient, subject, received, fields, section)
    assert hints(*given_fields) == told(*given_fields)


@pytest.mark.parametrize("position", range(6))
def test_only_bytes_are_looked_at(position: int) -> None:
    wrong: list[bytes] = [b""] * 6
    wrong[position] = "text"  # type: ignore[call-overload]  # the fault that is tested
    with pytest.raises(TypeError):
        hints(*wrong)  # type: ignore[arg-type]  # the list has six
