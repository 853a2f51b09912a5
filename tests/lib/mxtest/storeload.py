"""A process that commits messages and says which are durable: run, killed and starved by tests of the store.

`python -m mxtest.storeload DATA NAME COUNT [BYTES]` prints, each line flushed by itself, "ok QUEUE_ID" after a
commit returned and "ErrorClass" after one raised; it never stops for an error.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from mxtest.storekit import new_message, store_config
from mxward.core.errors import StoreError
from mxward.server.store.opening import open_store


def say(text: str) -> None:
    os.write(1, text.encode() + b"\n")


def main(data: str, name: str, count: str, size: str = "300") -> None:
    store = open_store(store_config(Path(data), segment_bytes=100_000), name)
    say("open")
    for i in range(int(count)):
        message = new_message(raw=b"%d " % i + os.urandom(int(size)))
        try:
            store.commit([message])
        except StoreError as error:
            say(type(error).__name__)
            time.sleep(0.01)
        else:
            say(f"ok {message.queue_id}")
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
