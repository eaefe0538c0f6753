"""What is to be measured: every size with every codec, model and provider."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rtdehaze.core.errors import UsageError
from rtdehaze.core.options import Provider, parse_choice

__all__ = [
    "DEFAULT_SIZES",
    "GENERATED",
    "NO_CODEC",
    "ROUNDS",
    "SECONDS",
    "Case",
    "Codec",
    "Plan",
    "make_plan",
    "parse_codec",
    "parse_size",
]

GENERATED = "generated"
"""The source that is rendered: a drive through fog."""

NO_CODEC = "none"

SECONDS = 4.0
"""Length of a run: long enough to fill and empty the codecs' queues often, short enough to take turns."""

ROUNDS = 3
"""The fewest that show a spread about a median."""

DEFAULT_SIZES = ("720p", "1080p", "4k")
"""Of the generated drive."""

Word = TypeVar("Word")

_SIZES = {
    "360p": (640, 360),
    "480p": (854, 480),
    "540p": (960, 540),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "1440p": (2560, 1440),
    "2160p": (3840, 2160),
    "4k": (3840, 2160),
    "4320p": (7680, 4320),
    "8k": (7680, 4320),
}

_LEAST, _MOST = 64, 8192
"""Pixels of a side: the generated drive needs the one, FFmpeg's H.264 and most memories hold the other."""


@dataclass(frozen=True, slots=True)
class Codec:
    """What the frames are encoded with."""

    name: str
    """A codec or an encoder, or `none`: frames stay in memory."""
    preset: str | None = None

    @property
    def label(self) -> str:
        """As it was written."""
        return self.name if self.preset is None else f"{self.name}:{self.preset}"


@dataclass(frozen=True, slots=True)
class Case:
    """One combination."""

    size: tuple[int, int]
    """Width and height in pixels."""
    model: str
    provider: str
    codec: Codec

    @property
    def label(self) -> str:
        """One line for people."""
        return f"{self.size[0]}x{self.size[1]} {self.codec.label} {self.model} {self.provider}"


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a benchmark; `make_plan` checks it."""

    sizes: tuple[tuple[int, int], ...]
    """Width and height in pixels; empty takes the file's own."""
    models: tuple[str, ...]
    providers: tuple[str, ...]
    codecs: tuple[Codec, ...]
    source: str = GENERATED
    """`generated`, or the path of a video."""
    threads: int | None = None
    """Cores to plan for; None takes those that the process may use."""
    seconds: float = SECONDS
    """How long one run lasts, about."""
    rounds: int = ROUNDS
    """How often ours and the reference take turns."""


def make_plan(
    *,
    sizes: Sequence[str] = (),
    models: Sequence[str],
    providers: Sequence[str],
    codecs: Sequence[str],
    source: str = GENERATED,
    threads: int | None = None,
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
) -> Plan:
    """Reads the words of the command line.

    Raises:
        UsageError: A word is no size, provider or codec, a list is empty, or a number is out of its range.
    """
    for name, words in (("models", models), ("providers", providers), ("codec", codecs)):
        if not words:
            raise UsageError(f"{name} is empty; name at least one")
    if source != GENERATED and not Path(source).is_file():
        raise UsageError(f"source {source!r} is no file; give a video, or {GENERATED}")
    if source == GENERATED and not sizes:
        raise UsageError("sizes is empty; name at least one, for example 1080p")
    if not 0.1 <= seconds <= 3600:
        raise UsageError(f"seconds must be 0.1 to 3600, not {seconds:g}")
    if not 1 <= rounds <= 1000:
        raise UsageError(f"rounds must be 1 to 1000, not {rounds}")
    if threads is not None and threads < 1:
        raise UsageError(f"threads must be at least 1, not {threads}")
    return Plan(
        sizes=_once(parse_size(word) for word in sizes),
        models=_once(models),
        providers=_once(parse_choice(Provider, "providers", word).value for word in providers),
        codecs=_once(parse_codec(word) for word in codecs),
        source=source,
        threads=threads,
        seconds=seconds,
        rounds=rounds,
    )


def parse_size(word: str) -> tuple[int, int]:
    """Reads `1080p`, `4k`, `8k` or `WIDTHxHEIGHT`; returns width and height in pixels.

    Raises:
        UsageError: It is none of these, odd, or out of range.
    """
    known = _SIZES.get(word.lower())
    if known is not None:
        return known
    match = re.fullmatch(r"(\d{1,6})x(\d{1,6})", word.lower())
    if match is None:
        raise UsageError(f"size {word!r} is unknown; take WIDTHxHEIGHT or one of {', '.join(_SIZES)}")
    size = int(match[1]), int(match[2])
    if not all(_LEAST <= side <= _MOST and side % 2 == 0 for side in size):
        raise UsageError(f"size {word}: sides must be even and {_LEAST} to {_MOST} pixels")
    return size


def parse_codec(word: str) -> Codec:
    """Reads `none`, `h264`, `libx264:ultrafast`.

    Raises:
        UsageError: There is no name, or a preset without a codec.
    """
    name, mark, preset = word.partition(":")
    if not name or (mark and not preset) or (name == NO_CODEC and mark):
        raise UsageError(f"codec {word!r} must be NAME, NAME:PRESET or {NO_CODEC}, for example h264:ultrafast")
    return Codec(name, preset or None)


def _once(words: Iterable[Word]) -> tuple[Word, ...]:
    """The words in their order, each once."""
    return tuple(dict.fromkeys(words))
