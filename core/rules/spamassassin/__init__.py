"""SpamAssassin rules: reading .cf files, compiling them, and running them over a message.

lines.py       .cf text to logical lines: comments, includes, conditions, languages
expression.py  the arithmetic of meta rules and of `if` lines, as a syntax tree
pattern.py     how a regular expression is written in a .cf file
replace.py     replace_tag and its relations
parse.py       logical lines to a Config: tests, scores, flags, descriptions, settings
compile.py     a Config to a RuleBook that can be run, with what is not supported and why
formulas.py    meta rules in the order of their dependencies, for pyx/formula
engine.py      one message through a RuleBook
texts.py, headers.py, evals.py   the forms of a message that rules look at, and tests that are code
"""
