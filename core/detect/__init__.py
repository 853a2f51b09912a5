"""Detectors: each turns a Message into hits. `detector.py` is their common face."""
