"""Which reader is in force: the one place that decides it.

The service, ``winnow eval`` and the benchmarks all ask here, so what is measured is what is used.
"""

from __future__ import annotations

from indexer.errors import ModelError
from indexer.settings import Settings
from service.confidence import read
from service.extracts import Extractor
from service.reading import Reader
from service.spanning import SpanReader


def reader_of(_settings: Settings) -> Reader:
    """The reader that answers with these settings; ModelError if its calibration is damaged."""
    return SpanReader(read())


def extractor_of(settings: Settings) -> Extractor | ModelError | None:
    """The trained network, loaded; or why it cannot be, or None where the settings do without."""
    if not settings.read_depth:
        return None
    from service.extraction import NetworkExtractor  # noqa: PLC0415 - seconds to import torch

    try:
        return NetworkExtractor()
    except ModelError as error:
        return error
