"""A small HTTP API that describes lists of numbers."""

from summary.app import create_app

__all__ = ["create_app"]
