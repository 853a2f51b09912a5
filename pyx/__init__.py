"""Cython kernels: pure functions over bytes, the GIL released inside."""

if __name__ != "mxward.pyx":
    raise ImportError("import mxward.pyx, not pyx: only mxward.* is importable")
