"""What a service says no with: one plain sentence that may be shown to whoever asked."""

from __future__ import annotations

from mxward.core.errors import MxwardError


class ServiceError(MxwardError):
    """Root of this small tree; never raised itself."""


class NotFound(ServiceError):
    """No such message, user, pack, ..."""


class Refused(ServiceError):
    """The service understood and will not do it (a release of malware, the last administrator, ...)."""


class BadRequest(ServiceError):
    """The arguments make no sense (an address without a domain, a too short password, ...)."""


class NotRunning(ServiceError):
    """The gateway is not running with this data directory."""
