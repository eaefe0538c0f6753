"""From a frame to its haze: thumbnail, model, session."""

__all__ = ["DEFAULT_MODEL"]

DEFAULT_MODEL = "cap"
"""The shipped model that is used when none is named; chosen by `benchmarks/choose_default.py`."""
