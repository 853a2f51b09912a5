"""Tell the running gateway to read configuration, rules and policy anew."""

from __future__ import annotations

import os
import signal

from mxward.server.config import Config
from mxward.server.run.datadir import running_pid
from mxward.server.services import scanning
from mxward.server.services.context import Context
from mxward.server.services.errors import NotRunning


def signal_supervisor(config: Config) -> int:
    """SIGHUP to the supervisor of this data directory; returns its pid. Raises NotRunning."""
    pid = running_pid(config.data)
    if not pid:
        raise NotRunning(f"no gateway is running with the data directory {config.data}")
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        raise NotRunning("the gateway has just ended") from None
    except PermissionError:
        raise NotRunning(f"the gateway (process {pid}) belongs to another user") from None
    return pid


def request(context: Context) -> int:
    """Check rules and policy, then as `signal_supervisor`, with a line in the audit trail.

    Raises RulePackError or PolicyError (nothing is asked of the gateway then), NotRunning.
    """
    scanning.current(context.config)
    pid = signal_supervisor(context.config)
    context.audit("reload", "gateway", pid=pid)
    return pid
