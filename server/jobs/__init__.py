"""Periodic work: retention, compaction, watch."""
