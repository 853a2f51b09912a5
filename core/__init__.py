"""What a message means: no sockets, no database, no clock of its own."""

if __name__ != "mxward.core":
    raise ImportError("import mxward.core, not core: only mxward.* is importable")
