"""Credentials in addresses: they reach servers and nobody else."""

from __future__ import annotations

import re

__all__ = ["redacted"]

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")


def redacted(text: str) -> str:
    """Returns a text without the user names and passwords of the URLs in it."""
    return _CREDENTIALS.sub("", text)
