"""SpamAssassin rules: reading .cf files, compiling them, and running them over a message.

lines.py       .cf text to logical lines: comments, includes, conditions, languages
expression.py  the arithmetic of meta rules and of `if` lines, as a syntax tree
pattern.py     how a regular expression is written in a .cf file
replace.py     replace_tag and its relations
parse.py       logical lines to a Config: tests, scores, flags, descriptions, settings
compile.py     a Config to a RuleBook that can be run, with what is not supported and why
formulas.py    meta rules in the order of their dependencies, for pyx/formula
matcher.py     the patterns of one place; places.py: the text that stands there
details.py, fill.py   uri_detail tests; values that one pattern captures and others use
engine.py      one message through a RuleBook
load.py        .cf files to an engine and a report (report.py)
source.py, importer.py   the rules in a pack; a folder of .cf files made one
texts.py, headers.py, evals.py   the forms of a message that rules look at, and tests that are code
"""
