"""Migrating an empty database gives exactly what the schema's metadata would create."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mxtest.postgres import cluster
from mxtest.storekit import store_config
from mxward.core.errors import StoreError
from mxward.server.store import migrate
from mxward.server.store.opening import open_store
from mxward.server.store.schema import METADATA


def _definitions(url: str, scripts: str) -> set[str]:
    """The database's own words for every table and index."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        out = {" ".join(str(row[0]).split()) for row in connection.execute(sa.text(scripts))}
    engine.dispose()
    return {text for text in out if "alembic_version" not in text}


def _compare(url: str) -> list[object]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
    engine.dispose()
    return list(found)


def _create(url: str) -> None:
    engine = sa.create_engine(url)
    METADATA.create_all(engine)
    engine.dispose()


def test_migrating_equals_creating_on_sqlite(tmp_path: Path) -> None:
    open_store(store_config(tmp_path / "data"), "x").close()
    migrated, created = f"sqlite:///{tmp_path}/data/mxward.db", f"sqlite:///{tmp_path}/created.db"
    _create(created)
    assert _compare(migrated) == []
    everything = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
    assert _definitions(migrated, everything) == _definitions(created, everything)


def test_migrating_equals_creating_on_postgresql(tmp_path: Path) -> None:
    columns = """
        SELECT concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage,
                         a.attcollation::regcollation)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0"""
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
    with cluster() as running:
        open_store(store_config(tmp_path / "data", running.url("migrated")), "x").close()
        migrated = running.address("migrated").replace("postgresql://", "postgresql+psycopg://")
        created = running.url("created").replace("postgresql://", "postgresql+psycopg://")
        _create(created)
        assert _compare(migrated) == []
        for query in (columns, indexes):
            assert _definitions(migrated, query) == _definitions(created, query)


def test_the_head_is_the_newest_script() -> None:
    assert ScriptDirectory(str(migrate.SCRIPTS)).get_current_head() == migrate.HEAD


def test_a_later_schema_is_refused(tmp_path: Path) -> None:
    store = open_store(store_config(tmp_path / "data"), "x")
    with store.backend.engine.write() as cursor:
        cursor.execute("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreError, match="newer release"):
        open_store(store_config(tmp_path / "data"), "x")
