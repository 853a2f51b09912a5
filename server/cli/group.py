"""How a group of commands is made: the same look everywhere."""

from __future__ import annotations

import typer


def make(name: str, text: str) -> typer.Typer:
    """A group of commands that shows its help when called alone."""
    return typer.Typer(name=name, help=text, no_args_is_help=True, rich_markup_mode=None, add_completion=False)
