"""The face for authors of detectors: the names promised to stay.

A plug-in is a Python package with an entry point in the group "mxward.detectors" that names a class or function
which, called without arguments, gives a Detector:

    [project.entry-points."mxward.detectors"]
    tracker = "mxward_tracker:TrackerDetector"
"""

from __future__ import annotations

from mxward.core.detect.detector import Detector
from mxward.core.errors import EngineError, EngineTimeout, EngineUnavailable
from mxward.core.extract.views import Link, folded, links, names, subject, texts
from mxward.core.message import Envelope, Message, Part
from mxward.core.verdict import Evidence, Hit

__all__ = [
    "Detector", "EngineError", "EngineTimeout", "EngineUnavailable", "Envelope", "Evidence", "Hit", "Link", "Message",
    "Part", "folded", "links", "names", "subject", "texts",
]  # fmt: skip
