"""What touches the world: SMTP, delivery, storage, web, jobs and the command line."""

if __name__ != "mxward.server":
    raise ImportError("import mxward.server, not server: only mxward.* is importable")
