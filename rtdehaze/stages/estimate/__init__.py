"""From a frame to its haze: thumbnail, model, session."""

__all__ = ["DEFAULT_MODEL"]

DEFAULT_MODEL = "base"
"""The shipped model that is used when none is named: ahead of the others on pairs of every domain in
`benchmarks/models.py`. Its weights are for research use; `base-open`, `dcp` and `cap` are for any."""
