"""Bring a database to the schema of this release. Alembic loads only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from mxward.core.errors import StoreError
from mxward.server.store.engine import Engine

HEAD: Final = "0001"
SCRIPTS: Final = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Raises StoreError when the database is of a later release, or cannot be changed."""
    if engine.version() == HEAD:
        return
    with engine.migration_lock():
        version = engine.version()
        if version == HEAD:
            return
        if version > HEAD:
            raise StoreError(f"the database has schema {version}, this release knows {HEAD}: use the newer release")
        upgrade(engine.migration_url(), HEAD)


def upgrade(url: sa.URL, revision: str) -> None:
    """Run the migrations up to `revision`."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    database = sa.create_engine(url, poolclass=sa.pool.NullPool)
    try:
        with database.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(f"migration to schema {revision} failed: {error}") from error
    finally:
        database.dispose()
