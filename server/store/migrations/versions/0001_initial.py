"""Messages, recipients, events, bodies, accounts and audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

BYTEWISE = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def number(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger, nullable=False)


def key(name: str) -> sa.Column[str]:
    return sa.Column(name, BYTEWISE, nullable=False)


def serial(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False)


def blob(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def upgrade() -> None:
    message()
    recipient()
    rest()


def message() -> None:
    op.create_table(
        "message",
        key("queue_id"),
        *number("received_at"),
        *text("direction", "sender"),
        *number("size"),
        *text("trace", "client_ip", "client_name", "helo", "protocol", "tls", "auth_user", "body"),
        small("smtputf8"),
        *text("ret", "envid", "subject", "header_from", "message_id", "verdict"),
        sa.Column("score", sa.Double, nullable=False),
        *text("policy_version", "judgement", "origin", "parent"),
        *number("n_rcpt", "n_added"),
        blob("digest"),
        sa.Column("segment", BYTEWISE, nullable=True),
        *number("offset", "length"),
        sa.PrimaryKeyConstraint("queue_id", name="message_pk"),
    )
    op.create_index("message_received", "message", ["received_at"])
    has_body = sa.text("segment IS NOT NULL")
    op.create_index(
        "message_body", "message", ["segment", "received_at"], sqlite_where=has_body, postgresql_where=has_body
    )


def recipient() -> None:
    op.create_table(
        "recipient",
        key("queue_id"),
        serial("n"),
        *text("address", "state", "action", "area", "notify", "orcpt"),
        *number("attempts", "due", "updated_at"),
        *text("reply", "route", "tls"),
        small("delay_warned"),
        *text("lease_owner"),
        *number("interrupted"),
        *text("disposition"),
        sa.PrimaryKeyConstraint("queue_id", "n", name="recipient_pk"),
        sqlite_with_rowid=False,
    )
    queued, kept = sa.text("state = 'queued'"), sa.text("state IN ('held', 'quarantined')")
    op.create_index("recipient_due", "recipient", ["due"], sqlite_where=queued, postgresql_where=queued)
    op.create_index(
        "recipient_kept", "recipient", ["state", "updated_at"], sqlite_where=kept, postgresql_where=kept
    )


def rest() -> None:
    op.create_table(
        "event",
        key("queue_id"),
        serial("id"),
        *number("n", "at"),
        *text("kind", "actor", "detail"),
        sa.PrimaryKeyConstraint("queue_id", "id", name="event_pk"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "body_chunk",
        key("queue_id"),
        serial("n"),
        blob("data"),
        sa.PrimaryKeyConstraint("queue_id", "n", name="body_chunk_pk"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE body_chunk ALTER COLUMN data SET STORAGE EXTERNAL")
    op.create_table(
        "account",
        key("name"),
        *text("password_hash", "role"),
        *number("created_at"),
        small("disabled"),
        small("must_change"),
        sa.PrimaryKeyConstraint("name", name="account_pk"),
    )
    op.create_table(
        "audit",
        serial("id"),
        *number("at"),
        *text("actor", "action", "object", "detail", "previous", "hash"),
        sa.PrimaryKeyConstraint("id", name="audit_pk"),
    )
