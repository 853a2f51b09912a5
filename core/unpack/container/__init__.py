"""Openers of one family of formats (core/unpack/registry.py lists them)."""
