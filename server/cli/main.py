"""Entry of the `mxward` command: runs it and turns errors into one sentence and an exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mxward.core.errors import MxwardError


def main() -> int:
    """Run the command line of this process. Returns the exit code; usage errors exit by themselves with 2."""
    from mxward.server.cli.app import app

    try:
        app()
    except SystemExit as end:
        return int(end.code or 0) if not isinstance(end.code, str) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe went away: nothing to say, and no noise at exit
        return 0
    except Exception as error:
        return _explain(error)
    return 0


def _explain(error: Exception) -> int:
    """Say what went wrong, in one sentence, and return the exit code."""
    from mxward.core.errors import MxwardError
    from mxward.server.cli import exitcodes
    from mxward.server.cli.output import complain
    from mxward.server.run.datadir import AlreadyRunning

    if isinstance(error, AlreadyRunning):
        complain(f"a gateway is running with this data directory already (process {error.pid})")
        return exitcodes.BUSY
    if isinstance(error, MxwardError):
        complain(_sentence(error))
        return exitcodes.code_of(error)
    if isinstance(error, OSError):
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return exitcodes.IO
    complain(f"internal fault: {type(error).__name__}: {error} (set MXWARD_TRACE=1 to see where)")
    _trace(error)
    return exitcodes.SOFTWARE


def _sentence(error: MxwardError) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _trace(error: Exception) -> None:
    import os
    import traceback

    if os.environ.get("MXWARD_TRACE"):
        traceback.print_exception(error)


if __name__ == "__main__":
    sys.exit(main())
