"""Benchmarks, their inputs, their targets and the gate. `python -m bench` lists them."""
