"""The mxward command."""
