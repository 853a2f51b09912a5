"""YARA at scale: read rules, derive what each one needs, run only those that can match.

tree.py is what a rule is; lexer.py, parser.py and condition.py read it; pattern.py, hexstring.py, regex.py and text.py
derive literals from its strings; need.py what its condition needs; partition.py cuts sources into units that libyara
can run alone; index.py brings all together and scans. libyara's own compiler and matcher stay the truth of every match.
"""
