"""Thin wrappers over native engines, one file an engine."""

if __name__ != "mxward.bindings":
    raise ImportError("import mxward.bindings, not bindings: only mxward.* is importable")
