"""Which reader is in force: the one place that decides it.

The service, ``winnow eval`` and the benchmarks all ask here, so what is measured is what is used.
"""

from __future__ import annotations

from indexer.settings import Settings
from service.reading import Reader, SentenceReader


def reader_of(_settings: Settings) -> Reader:
    """The reader that answers with these settings."""
    return SentenceReader()
