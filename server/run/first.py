"""What must exist before workers start: schema and keys of the store, and on a first start the user `admin`."""

from __future__ import annotations

from mxward.server.config import Config
from mxward.server.services import users
from mxward.server.services.context import Context
from mxward.server.store import open_store

ADMIN = "admin"


def prepare_store(config: Config) -> str:
    """Open the store once (which makes or migrates its schema and its keys).

    Returns the one-time password of a newly made `admin`, "" when there are users already. Raises StoreError.
    """
    store = open_store(config, process="supervisor")
    try:
        if store.users():
            return ""
        return users.create(Context(config, store, "supervisor"), ADMIN, "admin")
    finally:
        store.close()
