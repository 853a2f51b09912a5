"""Documents without what acts in them: one module a family."""
