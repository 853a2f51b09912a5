"""Processes that open attachments: unprivileged, without files and network, one message each (docs/attachments.md)."""
