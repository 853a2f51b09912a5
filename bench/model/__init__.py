"""How the shipped model of the classifier is made: `python -m bench.model` builds it, the same to the byte each time.

invent.py   training mail that the makers of mxward wrote, from the templates in texts/
sources.py  which mail trains, by whose leave, and which only tests
__main__.py builds core/classify/shipped.model, checks it against what ships, prints the figures
"""
