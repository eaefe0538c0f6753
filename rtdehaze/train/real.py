"""Real hazy pictures without truth: read from folders of pictures and from videos."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import SourceError
from rtdehaze.train.decoding import UnreadableError, read_picture
from rtdehaze.train.videos import frames_of

__all__ = ["FEWEST", "Real", "read_real"]

log = logging.getLogger("rtdehaze.train")

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".mpeg")
SHORTEST = 48
"""Samples of a picture's shorter side: smaller ones are icons, not views."""
FEWEST = 8
"""Pictures. Fewer are learned by heart."""
FRAMES = 24
"""Taken of a video at most, evenly over its time: neighbours teach the same."""
SPACING = 0.5
"""Seconds between the frames that are taken, at least."""
NAMED = 5
"""Sources that a warning names."""


@dataclass(frozen=True, slots=True)
class Real:
    """One picture without truth."""

    name: str
    picture: NDArray[np.uint8]
    """(H, W, 3) RGB, the longer side at most 512."""


def read_real(sources: Iterable[Path]) -> list[Real]:
    """Reads pictures and frames of videos; what cannot be used is counted and named.

    Args:
        sources: Folders (their pictures and videos, not those of folders inside), pictures or videos.

    Returns:
        In the order of the sources and of their names.

    Raises:
        SourceError: A source does not exist, or there are fewer than `FEWEST` pictures in all.
    """
    places = list(sources)
    found: list[Real] = []
    bad: list[str] = []
    for file in _files(places):
        try:
            found += _frames(file) if file.suffix.lower() in VIDEOS else _pictures(file)
        except UnreadableError as error:
            bad.append(str(error))
    if bad:
        named = "; ".join(bad[:NAMED]) + ("; ..." if bad[NAMED:] else "")
        log.warning("%d real pictures or videos left out: %s", len(bad), named)
    if len(found) < FEWEST:
        where = ", ".join(str(place) for place in places)
        raise SourceError(f"{where}: {len(found)} real pictures can be used; adapting needs at least {FEWEST}")
    return found


def _files(places: list[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from sorted(path for path in place.iterdir() if path.suffix.lower() in PICTURES + VIDEOS)
        elif place.is_file():
            yield place
        else:
            raise SourceError(f"{place} does not exist; name a folder of real hazy pictures, or a video")


def _pictures(file: Path) -> list[Real]:
    picture = read_picture(file)
    if min(picture.shape[:2]) < SHORTEST:
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        raise UnreadableError(f"{file} is {size}; its sides must be {SHORTEST} or more, and not too unlike")
    return [Real(file.stem, picture)]


def _frames(file: Path) -> list[Real]:
    moments = frames_of(file, SPACING)
    few = moments if len(moments) <= FRAMES else [moments[i * len(moments) // FRAMES] for i in range(FRAMES)]
    return [Real(scene.name, scene.clear) for scene in (moment.load() for moment in few)]
