"""Generated scenes as pictures to learn from: rendered once, kept in the form of a training pack."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

import rtdehaze.synth
from rtdehaze.core.errors import SinkError
from rtdehaze.synth.library import views
from rtdehaze.train.config import GeneratedConfig
from rtdehaze.train.decoding import Picture, Root, root_of_depth

__all__ = ["render", "write_picture"]

log = logging.getLogger("rtdehaze.train")

QUALITY = 95
"""Of the JPEG that a rendered picture is kept as."""


def render(made: GeneratedConfig, folder: Path, workers: int) -> tuple[Path, list[str]]:
    """Renders what is not there yet.

    Args:
        made: What to generate.
        folder: Where rendered pictures are kept, for this run and later ones.
        workers: Processes to render with.

    Returns:
        A folder with `rgb` and `disp` as a training pack has them, and the names in it.

    Raises:
        SinkError: The folder cannot be written.
    """
    height, width = made.size
    # What other sources rendered is another picture, even from the same seed.
    place = folder / f"{made.kind}-{width}x{height}-{_edition()}"
    seeds = range(made.seed, made.seed + made.places)
    missing = [seed for seed in seeds if not all((place / "disp" / f"{n}.png").is_file() for n in _names(made, seed))]
    if missing:
        log.info(
            "rendering %d places of kind %s, %d pictures each, into %s", len(missing), made.kind, made.pictures, place
        )
        try:
            for part in ("rgb", "disp"):
                (place / part).mkdir(parents=True, exist_ok=True)
            for done, seed in enumerate(_rendered(made, missing, place, workers), 1):
                log.info("place %d of %d (seed %d)", done, len(missing), seed)
        except OSError as error:
            raise SinkError(f"generated pictures cannot be kept in {place}: {error.strerror or error}") from error
    return place, [name for seed in seeds for name in _names(made, seed)]


def write_picture(folder: Path, name: str, clear: Picture, root: Root) -> None:
    """Writes a picture and its disparity into a pack; the disparity last, and each whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    _, picture = cv2.imencode(".jpg", clear[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    _, depth = cv2.imencode(".png", root, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    for path, data in ((folder / "rgb" / f"{name}.jpg", picture), (folder / "disp" / f"{name}.png", depth)):
        part = path.with_suffix(".part")
        try:
            part.write_bytes(data.tobytes())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def _rendered(made: GeneratedConfig, seeds: list[int], place: Path, workers: int) -> Iterator[int]:
    if workers < 2 or len(seeds) < 2:
        yield from (_place(made, seed, place) for seed in seeds)
        return
    with ProcessPoolExecutor(min(workers, len(seeds)), get_context("spawn")) as pool:
        yield from pool.map(_place, repeat(made), seeds, repeat(place))


def _place(made: GeneratedConfig, seed: int, place: Path) -> int:
    """Renders all views of one place: painting it takes longer than looking at it."""
    height, width = made.size
    seen = views(made.kind, seed, made.pictures, height, width)
    for name, (clear, depth) in zip(_names(made, seed), seen, strict=True):
        write_picture(place, name, clear, root_of_depth(depth.astype(np.float32)))
    return seed


def _names(made: GeneratedConfig, seed: int) -> list[str]:
    return [f"{seed:06d}-{number:03d}-of-{made.pictures}" for number in range(made.pictures)]


@cache
def _edition() -> str:
    """Eight digits that change with the sources of the generator."""
    digest = hashlib.sha256()
    for path in sorted(Path(rtdehaze.synth.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
