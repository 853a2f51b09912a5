"""Every limit with its reason. Budgets are data: a name, a default, and what happens beyond it.

Limits on the SMTP session are configuration (`server.config.SmtpLimits`) with defaults from here; limits on
content are fixed, because a verdict must not depend on which box judged the message.
"""

from __future__ import annotations

from typing import Final

# -- message structure (parser). Beyond each: an anomaly, and the rest of that structure is one opaque part.
MAX_PARTS: Final = 1000  # real mail of the corpus peaks at 100; 100,000 parts cost stdlib 5.7 s
MAX_DEPTH: Final = 100  # multipart and message/rfc822 nesting together; parsing is iterative
MAX_FIELDS: Final = 1000  # header fields a part; 200,000 headers are a known bomb
MAX_HEADER_BYTES: Final = 262_144  # header section of one part; Dovecot's cap after CVE-2024-23185 was far above
MAX_LINE_BYTES: Final = 998  # RFC 5322 2.1.1; longer lines are an anomaly, not an error
MAX_PARAMETERS: Final = 100  # MIME parameters a field; 20,000 cost stdlib 6.3 s
MAX_ADDRESSES: Final = 2000  # mailboxes a field
MAX_READINGS: Final = 8  # alternative readings of an ambiguous structure

# -- scanning
MAX_VIEW_BYTES: Final = 64 * 1024 * 1024  # decoded bytes of all views of one message
MAX_TEXT_BYTES: Final = 8 * 1024 * 1024  # of text parts made readable for word lists; the rest is scanned as bytes
YARA_TIMEOUT_S: Final = 10  # libyara counts whole seconds; over it: not_inspected
SCAN_DEADLINE_S: Final = 30.0  # all detectors of one message together
MAX_TLSH_BYTES: Final = 16 * 1024 * 1024  # of a part that is compared with near duplicates: 0.1 s
MAX_EVIDENCE: Final = 8  # evidence ranges kept for one hit
MAX_HITS: Final = 500  # hits kept for one message; the count goes on

# -- attachments: of all that is inside one attachment. Beyond each: not_inspected under that limit's name.
MAX_CHILD_BYTES: Final = 100 * 1024 * 1024  # bytes that come out of containers and documents
MAX_CHILDREN: Final = 5_000  # things found inside; real archives in mail stay below 1,000
MAX_CHILD_DEPTH: Final = 16  # containers in containers; 3 is the most that honest mail shows
OPENING_DEADLINE_S: Final = 15.0  # wall time of opening all attachments of one message
MAX_OPENING_S: Final = 5.0  # processor time of opening one attachment

# -- SMTP (defaults; each can be set in the configuration)
MAX_MESSAGE_BYTES: Final = 50 * 1024 * 1024  # NHSmail allows 35 MB, encoded
MAX_COMMAND_BYTES: Final = 2048  # RFC 5321 4.5.3.1.4 says 512, extensions raise it
MAX_RECIPIENTS: Final = 1000  # RFC 5321 4.5.3.1.8 asks for at least 100
MAX_RECEIVED: Final = 50  # hop count that means a loop (Postfix: 50)
"""Names above are exported to the documentation by docs/generate.py."""
