"""Responses made smaller for those who can read them so: brotli, else gzip.

Hits are mostly text and shrink to a quarter. What is followed as it happens is sent as it is, since
a compressor would hold events back.
"""

from __future__ import annotations

from flask import Flask, Response
from flask_compress import Compress

_KINDS = frozenset(
    {
        *("application/atom+xml", "application/json", "image/svg+xml"),
        *("text/css", "text/html", "text/javascript"),
    }
)

_SMALLEST = 1024
"""Bytes under which nothing is won: with its headers the response fits into one packet anyway."""


def install(app: Flask) -> None:
    """Compress what is worth it."""
    app.config.update(
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "gzip"],
        COMPRESS_MIMETYPES=sorted(_KINDS),
        COMPRESS_MIN_SIZE=_SMALLEST,
        COMPRESS_REGISTER=False,
        # Files are read in pieces; all other streams are of kinds that are not compressed.
        COMPRESS_STREAMING_ENDPOINT_CONDITIONAL=["pages.static", "swagger.static"],
    )
    compress = Compress(app)

    @app.after_request
    def shrink(response: Response) -> Response:
        if response.mimetype not in _KINDS:
            return response
        response.vary.add("Accept-Encoding")
        # A part of a file, or of nothing, has no form of its own that could be compressed.
        if response.status_code in {204, 206, 304}:
            return response
        if close := getattr(response.response, "close", None):
            response.call_on_close(close)  # a file is hidden behind its compressor from here on
        return compress.after_request(response)
