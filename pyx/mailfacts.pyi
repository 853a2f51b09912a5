"""Facts of a message that are not words, as short lines; the classifier counts them beside the words."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from mxward.pyx.mime import Mime

MAX_LINKS: int

class _Part(Protocol):
    """What is asked of a part: its types, how its sender wants it shown, whether it is another reading of one."""

    content_type: str
    true_type: str
    disposition: str
    reading: int

class _Mailbox(Protocol):
    """Name and address of somebody; the domain in lower case."""

    @property
    def display(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def domain(self) -> str: ...

def step(number: int) -> int:
    """A number by its size only: 0, 1, 2, 3 for up to 7, ..."""

def structure(parts: Iterable[_Part], mime: Mime, n_text: int, markup: Sequence[int]) -> list[str]:
    """Kinds of parts, how much text there is, what HTML holds, odd malformations.

    Args: n_text: bytes of readable text; markup: how many forms, password fields and scripts there are.
    """

def links(found: list[Any], author_domain: str) -> tuple[list[str], set[str]]:
    """Facts about links, and the organisations that they lead to.

    Args: found: tuples of which the second is the kind ("a", "img", "text", ...), the third the address, the fourth
    the words of a link; the first MAX_LINKS are looked at. Cost: linear, about 0.3 us a link.
    """

def organisation(host: str) -> str:
    """Roughly who a host belongs to: two labels, three where the last two are a country's public ones."""

def author(mailbox: _Mailbox, replies: Sequence[_Mailbox], free: AbstractSet[str]) -> list[str]:
    """Facts about the author's name and address, and where answers go. Args: free: domains anybody can have."""

def subject(text: str) -> list[str]:
    """Facts about the subject's form."""

def addressing(mime: Mime) -> list[str]:
    """To whom it is addressed, whether it answers something, whether it claims to be urgent."""
