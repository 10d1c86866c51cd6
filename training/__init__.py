"""Trains the reader; needs ``pip install -e '.[training]'`` and the data of docs/reader.md."""
