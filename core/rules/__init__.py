"""Loading, compiling, caching and testing of rule packs."""
