"""`mxward key ...`: the keys that seal message bodies."""

from __future__ import annotations

from mxward.server.cli import group
from mxward.server.cli.common import ConfigFile, Data, Json, opened

app = group.make("key", "The master keys that seal stored messages.")


@app.command()
def rotate(data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """Make a new master key. New mail uses it at once; older keys stay for reading what they sealed.

    Example: mxward key rotate
    """
    from mxward.server.cli.output import emit, line
    from mxward.server.services import keys

    with opened(data, config) as context:
        key_id = keys.rotate(context)
    if json:
        emit({"current": key_id})
    else:
        line(f"master key {key_id} is in use from now on; back up the keys directory")


@app.command("list")
def list_(data: Data = "", config: ConfigFile = "", json: Json = False) -> None:
    """List the ids of the master keys (never the keys).

    Example: mxward key list
    """
    from mxward.server.cli.output import emit, line
    from mxward.server.services import keys

    with opened(data, config) as context:
        entries = keys.entries(context)
    for entry in entries:
        if json:
            emit(entry)
        else:
            line(f"{entry['id']}{'  current' if entry['current'] else ''}")
