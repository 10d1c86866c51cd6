"""/openapi.json and its reader at /docs: Swagger UI without scripts or style in the page itself.

The plugin's own page has both within it, which its Content-Security-Policy would have to allow.
"""

from __future__ import annotations

import hashlib
import json

from flask import Response, redirect, request
from flask_openapi import OpenAPI
from flask_openapi_swagger.plugins import RegisterPlugin

from service.document import completed

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Winnow over HTTP</title>
<link rel="icon" type="image/svg+xml" href="{{ url_for('pages.static', filename='favicon.svg') }}">
<link rel="stylesheet" href="{{ url_for('swagger.static', filename='css/swagger-ui.css') }}">
</head>
<body>
<main id="swagger-ui" data-document="{{ doc_url }}"></main>
<script src="{{ url_for('swagger.static', filename='js/swagger-ui-bundle.js') }}"></script>
<script src="{{ url_for('pages.static', filename='reference.js') }}"></script>
</body>
</html>
"""


def install(app: OpenAPI) -> None:
    """Serve the document at /openapi.json and its reader at /docs."""
    # Set after the fact, as the library takes no version: it writes nothing that 3.1 lacks.
    app.openapi_version = "3.1.0"
    app.config["SWAGGER_HTML_STRING"] = _PAGE
    app.register_blueprint(RegisterPlugin.register(doc_url="/openapi.json"), url_prefix="/docs")
    app.add_url_rule("/docs", "docs", lambda: redirect("/docs/swagger"))
    written: list[str] = []

    @app.get("/openapi.json", endpoint="openapi", doc_ui=False)
    def document() -> Response:
        if not written:
            written.append(json.dumps(completed(app.api_doc)))
        response = Response(written[0], content_type="application/json")
        response.headers["Cache-Control"] = "no-cache"
        response.set_etag(hashlib.sha256(written[0].encode()).hexdigest()[:32])
        response.make_conditional(request)
        return response
