"""mxward: a mail firewall. This module holds the version only; import time is gated."""

__version__ = "0.1.0"
