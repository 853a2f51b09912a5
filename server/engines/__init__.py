"""Clients of other scanners: clamd, ICAP, a command. Blocking, for the scan threads."""
