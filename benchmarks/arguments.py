"""Arguments and ends of all benchmarks: wrong words and Ctrl-C are one line, never a traceback."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from rtdehaze.apps.bench.plan import parse_codec, parse_size
from rtdehaze.core.errors import RtdehazeError
from rtdehaze.stages.estimate.models import load_model

__all__ = [
    "X264_PRESETS",
    "any_number",
    "codec_word",
    "duration",
    "listed",
    "model_word",
    "one_of",
    "pixels_word",
    "run_script",
    "size_word",
    "whole",
]

Word = TypeVar("Word")

X264_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
)  # fmt: skip

_INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended: 128 + SIGINT."""


def run_script(main: Callable[[], None]) -> None:
    """Runs a script; what went wrong on purpose becomes a line and an exit code.

    Args:
        main: The script; reads `sys.argv`.
    """
    name = Path(sys.argv[0]).name
    try:
        main()
    except RtdehazeError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print(f"{name}: interrupted; what was saved before stays", file=sys.stderr)
        sys.exit(_INTERRUPTED)


def listed(read: Callable[[str], Word]) -> Callable[[str], list[Word]]:
    """Reads words with commas between them, each once.

    Args:
        read: Reads one of them.
    """

    def convert(text: str) -> list[Word]:
        found = list(dict.fromkeys(read(word) for word in text.split(",") if word))
        if not found:
            raise argparse.ArgumentTypeError("is empty; name at least one")
        return found

    return convert


def whole(least: int, most: int = 10**9) -> Callable[[str], int]:
    """Reads a whole number in a range."""

    def convert(word: str) -> int:
        try:
            value = int(word)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{word!r} is no whole number") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be {least} to {most}, not {value}")
        return value

    return convert


def any_number(least: float, most: float = math.inf) -> Callable[[str], float]:
    """Reads a number in a range."""

    def convert(word: str) -> float:
        try:
            value = float(word)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{word!r} is no number") from None
        if not (math.isfinite(value) and least <= value <= most):
            raise argparse.ArgumentTypeError(f"must be {least:g} to {most:g}, not {word}")
        return value

    return convert


def one_of(known: Collection[str]) -> Callable[[str], str]:
    """Reads one of some words."""

    def convert(word: str) -> str:
        if word not in known:
            raise argparse.ArgumentTypeError(f"{word!r} is unknown; there are: {', '.join(known)}")
        return word

    return convert


def _ours(read: Callable[[str], object], word: str) -> str:
    """Lets argparse say what one of our own readers refuses; returns the word as it was."""
    try:
        read(word)
    except RtdehazeError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return word


def size_word(word: str) -> str:
    """Refuses what is no size, as `rtdehaze bench` does; `1080p` stays `1080p`."""
    return _ours(parse_size, word)


def pixels_word(word: str) -> str:
    """Like `size_word`, but `1080p` becomes `1920x1080`."""
    width, height = parse_size(size_word(word))
    return f"{width}x{height}"


def codec_word(word: str) -> str:
    """Refuses what cannot be the name of a codec."""
    return _ours(parse_codec, word)


def model_word(word: str) -> str:
    """Refuses what is no model before anything is measured."""
    return _ours(load_model, word)


duration = any_number(0.01, 3600.0)
"""How long something lasts."""
