"""How files of a live run are named: never over another, by time where they are cut by time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

__all__ = ["free_names", "is_pattern", "matcher", "wildcard"]

_DIRECTIVE = re.compile(r"%[-_0^#]?([A-Za-z%])")

_SHAPES = {
    **dict.fromkeys("mdHMSyIUWVCgeu", r"\s?\d{1,2}"),
    "Y": r"\d{4}",
    "G": r"\d{4}",
    "j": r"\d{1,3}",
    "s": r"\d+",
    "F": r"\d{4}-\d{2}-\d{2}",
    "T": r"\d{2}:\d{2}:\d{2}",
    "R": r"\d{2}:\d{2}",
    "z": r"[+-]\d{4}",
    "%": "%",
}
"""What strftime's directives become, as regular expressions; the others are words."""


def is_pattern(name: str) -> bool:
    """Whether strftime changes a name."""
    return _DIRECTIVE.search(name) is not None and time.strftime(name) != name


def free_names(name: str) -> Iterator[Path]:
    """Yields the name, and then the names to try where it is taken: `cam.mp4`, `cam-2.mp4`, `cam-3.mp4`..."""
    path = Path(name)
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def wildcard(pattern: str) -> str:
    """Returns the glob, relative to the anchor, that finds all that a strftime pattern can have made."""
    path = Path(pattern)
    escaped = [re.sub(r"[\[\]*?]", lambda found: f"[{found[0]}]", part) for part in path.parts]
    starred = [_DIRECTIVE.sub("*", part) for part in escaped]
    starred[-1] = f"{Path(starred[-1]).stem}*{path.suffix}"
    return str(Path(*starred))


def matcher(pattern: str) -> re.Pattern[str]:
    """Returns what tells a name that the pattern (or a collision under it) has made from any other."""
    path = Path(pattern)
    stem = str(path.with_suffix(""))
    return re.compile(f"{_as_regex(stem)}(-[2-9]|-[1-9][0-9]+)?{re.escape(path.suffix)}")


def _as_regex(text: str) -> str:
    made, end = [], 0
    for found in _DIRECTIVE.finditer(text):
        made += [re.escape(text[end : found.start()]), _SHAPES.get(found[1], r"[^/\\]+?")]
        end = found.end()
    return "".join([*made, re.escape(text[end:])])
