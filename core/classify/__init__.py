"""The statistical classifier: what it looks at, the model file, training, and learning at a site.

features.py    Message -> Features: the words and facts that count
facts.py       facts of a message that are no words: its build, its links, its author
model.py       the model file: weights, how they become a probability, words that may be quoted
site.py        what one site taught: counts of words that can be taken back, bounded
train.py       weights from labelled messages; probabilities that were tested on messages left out
figures.py     how well: rates by class and source, calibration
"""
