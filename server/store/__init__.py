"""Spool, ledger, quarantine, tracking; the only place that knows SQL."""
