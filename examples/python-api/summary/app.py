"""The HTTP side: routes, and errors as JSON."""

import platform
from dataclasses import asdict

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from summary.numbers import NotNumbers, summarize

MAX_BYTES = 4 * 1024 * 1024


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES

    @app.get("/healthz")
    def health() -> ResponseReturnValue:
        return {"ok": True, "python": platform.python_version()}

    @app.post("/v1/summary")
    def summary() -> ResponseReturnValue:
        body = request.get_json()
        return asdict(summarize(body.get("values") if isinstance(body, dict) else None))

    @app.errorhandler(NotNumbers)
    def not_numbers(error: NotNumbers) -> ResponseReturnValue:
        return jsonify(error=str(error)), 422

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> ResponseReturnValue:
        return jsonify(error=error.description), error.code or 500

    return app
