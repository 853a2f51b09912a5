"""Folding of text for comparison: what a reader would call the same words becomes the same characters.

The kernel is pyx/fold; this is its name in the core.
"""

from __future__ import annotations

from mxward.pyx.fold import INVISIBLE, fold, fold_bytes, skeleton

__all__ = ("INVISIBLE", "fold", "fold_bytes", "skeleton")
