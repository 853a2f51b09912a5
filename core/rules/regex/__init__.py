"""Regular expressions by the thousand over one text. See regexset.py."""

from mxward.core.rules.regex.needed import LiteralTable, has_literal, needed
from mxward.core.rules.regex.regexset import Piece, Regex, RegexSet

__all__ = ["LiteralTable", "Piece", "Regex", "RegexSet", "has_literal", "needed"]
