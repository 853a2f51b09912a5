"""Helpers of tests and benchmarks: the corpus, free ports, the running product, peers, senders and counting sinks."""
