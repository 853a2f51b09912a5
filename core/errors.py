"""The error tree: everything that is *ours* (a bug, a broken box, a bad file an administrator wrote).

What is *theirs* (hostile input) never becomes an exception of this tree except `Refusal`, the only one that
turns into an SMTP reply. Public text and private reason are separate fields.

    MxwardError
      ConfigError(file, line, key, allowed)
      RulePackError(pack, rule, line, reason)
      PolicyError
      EngineError
        EngineTimeout
        EngineUnavailable
      StoreError
        StoreUnavailable      -> 451, the peer keeps the message
        StoreFull             -> 452
        StoreUnfit            -> 421: a failed fsync ended this node's right to say 250
        StoreCorrupt
      Refusal(reply, reason)
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply: code, enhanced code (RFC 3463; "" for replies that carry none) and public text."""

    code: int
    enhanced: str
    text: str

    def encode(self) -> bytes:
        """The reply on the wire (RFC 5321 section 4.2), one line or several, CRLF-terminated."""
        prefix = f"{self.enhanced} " if self.enhanced else ""
        lines = self.text.split("\n")
        out = [f"{self.code}-{prefix}{line}\r\n" for line in lines[:-1]]
        out.append(f"{self.code} {prefix}{lines[-1]}\r\n")
        return "".join(out).encode("ascii", "replace")

    @property
    def is_permanent(self) -> bool:
        return 500 <= self.code < 600

    @property
    def is_temporary(self) -> bool:
        return 400 <= self.code < 500


class MxwardError(Exception):
    """Root of the tree; never raised itself."""


class ConfigError(MxwardError):
    """A configuration file is wrong; says where, which key and what is allowed."""

    def __init__(self, reason: str, *, file: str = "", line: int = 0, key: str = "", allowed: str = "") -> None:
        self.reason, self.file, self.line, self.key, self.allowed = reason, file, line, key, allowed
        where = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        what = f"{key}: " if key else ""
        more = f" (allowed: {allowed})" if allowed else ""
        super().__init__(f"{where}{what}{reason}{more}")


class RulePackError(MxwardError):
    """A rule pack cannot be loaded; the old set stays in force."""

    def __init__(self, reason: str, *, pack: str, rule: str = "", line: int = 0) -> None:
        self.reason, self.pack, self.rule, self.line = reason, pack, rule, line
        where = f"{pack}:{line}: " if line else f"{pack}: "
        super().__init__(f"{where}{f'{rule}: ' if rule else ''}{reason}")


class PolicyError(MxwardError):
    """A policy document is wrong; the old one stays in force."""


class EngineError(MxwardError):
    """A scanning engine failed; becomes a `degraded` hit that policy decides about."""


class EngineTimeout(EngineError):
    """An engine used up its budget for one message."""


class EngineUnavailable(EngineError):
    """An engine is not there (library missing, daemon down)."""


class StoreError(MxwardError):
    """The store could not do what was asked; nothing was promised to any peer."""


class StoreUnavailable(StoreError):
    """Passing fault of the store: answer 451."""


class StoreFull(StoreError):
    """No space or no inodes: answer 452."""


class StoreUnfit(StoreError):
    """An fsync failed or a synchronous commit was cut short: this process may never say 250 again."""


class StoreCorrupt(StoreError):
    """A stored record fails its checksum or authentication tag."""


class Refusal(MxwardError):
    """The only exception that becomes an SMTP reply. `reason` is private and goes to the log."""

    def __init__(self, reply: Reply, reason: str = "") -> None:
        self.reply, self.reason = reply, reason
        super().__init__(reason or reply.text)
