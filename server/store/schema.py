"""The tables, once for both engines. Migrations build the same (a test compares them).

Rows are kept narrow and JSON is text, because every accepted message pays for each column. Texts that are
compared or ordered by bytes (queue ids, states) carry the "C" collation on PostgreSQL; SQLite compares bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

METADATA: Final = sa.MetaData()
IN_DATABASE: Final = "db"  # message.segment of bodies that are chunk rows

_Bytewise = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger, nullable=False)


def columns_of(table: sa.Table, names: Iterable[str]) -> list[sa.Column[Any]]:
    return [table.c[name] for name in names]


def literal(value: str) -> sa.ColumnElement[str]:
    """A constant written into the statement, so that partial indexes are recognised. Only our own words."""
    if not value.replace("_", "").isalnum():
        raise ValueError(value)
    return sa.literal_column(f"'{value}'", sa.Text)


MESSAGE: Final = sa.Table(
    "message",
    METADATA,
    sa.Column("queue_id", _Bytewise, nullable=False),
    _number("received_at"),
    _text("direction"),
    _text("sender"),
    _number("size"),
    _text("trace"),  # header block, latin-1 bytes as text
    _text("client_ip"),
    _text("client_name"),
    _text("helo"),
    _text("protocol"),
    _text("tls"),
    _text("auth_user"),
    _text("body"),
    _small("smtputf8"),
    _text("ret"),
    _text("envid"),
    _text("subject"),
    _text("header_from"),
    _text("message_id"),
    _text("verdict"),
    sa.Column("score", sa.Double, nullable=False),
    _text("policy_version"),
    _text("judgement"),  # JSON
    _text("origin"),
    _text("parent"),
    _number("n_rcpt"),  # recipients accepted with the message: the ledger's independent count
    _number("n_added"),  # recipients added later by rerouting
    sa.Column("digest", sa.LargeBinary, nullable=False),  # keyed hash of the message as received
    sa.Column("segment", _Bytewise),  # spool segment of the body, "db", or NULL once dropped
    _number("offset"),
    _number("length"),
    sa.PrimaryKeyConstraint("queue_id", name="message_pk"),
)
sa.Index("message_received", MESSAGE.c.received_at)
sa.Index(
    "message_body",
    MESSAGE.c.segment,
    MESSAGE.c.received_at,
    sqlite_where=MESSAGE.c.segment.is_not(None),
    postgresql_where=MESSAGE.c.segment.is_not(None),
)

RECIPIENT: Final = sa.Table(
    "recipient",
    METADATA,
    sa.Column("queue_id", _Bytewise, nullable=False),
    sa.Column("n", sa.BigInteger, nullable=False, autoincrement=False),
    _text("address"),
    _text("state"),
    _text("action"),
    _text("area"),
    _text("notify"),
    _text("orcpt"),
    _number("attempts"),
    _number("due"),  # next attempt; while leased the end of the lease
    _number("updated_at"),
    _text("reply"),
    _text("route"),
    _text("tls"),
    _small("delay_warned"),
    _text("lease_owner"),
    _number("interrupted"),  # leases that ended without an outcome since the last one
    _text("disposition"),  # JSON
    sa.PrimaryKeyConstraint("queue_id", "n", name="recipient_pk"),
    sqlite_with_rowid=False,
)
_QUEUED = RECIPIENT.c.state == literal("queued")
_KEPT = RECIPIENT.c.state.in_([literal("held"), literal("quarantined")])
sa.Index("recipient_due", RECIPIENT.c.due, sqlite_where=_QUEUED, postgresql_where=_QUEUED)
sa.Index("recipient_kept", RECIPIENT.c.state, RECIPIENT.c.updated_at, sqlite_where=_KEPT, postgresql_where=_KEPT)

EVENT: Final = sa.Table(
    "event",
    METADATA,
    sa.Column("queue_id", _Bytewise, nullable=False),
    sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
    _number("n"),
    _number("at"),
    _text("kind"),
    _text("actor"),
    _text("detail"),
    sa.PrimaryKeyConstraint("queue_id", "id", name="event_pk"),
    sqlite_with_rowid=False,
)

BODY_CHUNK: Final = sa.Table(
    "body_chunk",
    METADATA,
    sa.Column("queue_id", _Bytewise, nullable=False),
    sa.Column("n", sa.BigInteger, nullable=False, autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("queue_id", "n", name="body_chunk_pk"),
    sqlite_with_rowid=False,
)
# Sealed bodies do not compress: keep them out of line and leave them alone.
EXTERNAL: Final = "ALTER TABLE body_chunk ALTER COLUMN data SET STORAGE EXTERNAL"
_external: sa.DDL = sa.DDL(EXTERNAL)  # type: ignore[no-untyped-call] # SQLAlchemy leaves this one untyped
sa.event.listen(BODY_CHUNK, "after_create", _external.execute_if(dialect="postgresql"))

ACCOUNT: Final = sa.Table(
    "account",
    METADATA,
    sa.Column("name", _Bytewise, nullable=False),
    _text("password_hash"),
    _text("role"),
    _number("created_at"),
    _small("disabled"),
    _small("must_change"),
    sa.PrimaryKeyConstraint("name", name="account_pk"),
)

AUDIT: Final = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
    _number("at"),
    _text("actor"),
    _text("action"),
    _text("object"),
    _text("detail"),  # canonical JSON
    _text("previous"),
    _text("hash"),
    sa.PrimaryKeyConstraint("id", name="audit_pk"),
)
