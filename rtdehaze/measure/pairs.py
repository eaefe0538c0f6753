"""Folders of hazy pictures with their truth: which picture belongs to which, read one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import SourceError

__all__ = [
    "CLEAR_FOLDERS",
    "Pair",
    "PairFiles",
    "by_name",
    "find_pairs",
    "partner_of",
    "picture_files",
    "read_pair",
    "read_picture",
]

Picture = NDArray[np.uint8]

PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".jpe", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""Files that are taken for pictures."""

CLEAR_FOLDERS = ("clear", "gt", "GT")
"""Names of the folder with the truth, the first that is there counts."""

TRANSMISSION_FOLDERS = ("t", "trans")

_MARK = re.compile(r"_?(hazy|haze|clear|gt)$", re.IGNORECASE)
"""What some sets write behind the name that two partners share: `01_outdoor_hazy`, `01_outdoor_GT`."""


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Where a hazy picture and its truth are."""

    name: str
    """Of the hazy picture, without its suffix."""
    hazy: Path
    clear: Path | None
    """None: there is no clear picture of that name."""
    transmission: Path | None = None
    airlight: tuple[float, float, float] | None = None
    """RGB in [0, 1], None where it is not known."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A hazy picture with its truth."""

    name: str
    hazy: Picture
    """(H, W, 3) RGB."""
    clear: Picture
    """(H, W, 3) RGB."""
    transmission: NDArray[np.float32] | None = None
    """(H, W) in [0, 1], None where it is not known."""
    airlight: NDArray[np.float32] | None = None
    """(3,) RGB in [0, 1], None where it is not known."""


def find_pairs(folder: Path) -> list[PairFiles]:
    """Lists the pairs of a folder in the layout of RESIDE.

    `hazy/0001_0.8_0.2.jpg` belongs to `clear/0001.*` (or `gt`, `GT`); where they exist, `t/NAME.png` (or `trans`; of
    8 or 16 bits, the largest level is 1) and `meta.json` (`{NAME: {"airlight_rgb": [r, g, b]}}`) hold its haze.

    Raises:
        SourceError: The folder or one of its parts is missing, holds no picture, or meta.json is no such table.
    """
    clear = next((folder / name for name in CLEAR_FOLDERS if (folder / name).is_dir()), None)
    if clear is None or not (folder / "hazy").is_dir():
        missing = "hazy" if clear is not None else "clear (or gt)"
        raise SourceError(f"{folder} holds no folder named {missing}; pairs are hazy/NAME and clear/NAME")
    truths = by_name(picture_files(clear))
    known = _airlights(folder / "meta.json")
    maps = next((folder / name for name in TRANSMISSION_FOLDERS if (folder / name).is_dir()), None)
    pairs = []
    for path in picture_files(folder / "hazy"):
        stored = None if maps is None else maps / f"{path.stem}.png"
        transmission = stored if stored is not None and stored.is_file() else None
        pairs.append(PairFiles(path.stem, path, partner_of(path, truths), transmission, known.get(path.stem)))
    return pairs


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder by name.

    Raises:
        SourceError: The folder does not exist, cannot be read, or holds none.
    """
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    except OSError as error:
        raise SourceError(f"folder {folder} cannot be read: {error.strerror}") from error
    if not found:
        raise SourceError(f"folder {folder} holds no pictures")
    return found


def by_name(truths: Iterable[Path]) -> dict[str, Path]:
    """Clear pictures by the names under which `partner_of` looks for them: without suffix, with and without mark."""
    named = {path.stem: path for path in truths}
    return {_MARK.sub("", stem): path for stem, path in named.items()} | named


def partner_of(hazy: Path, truths: Mapping[str, Path]) -> Path | None:
    """Finds the clear picture of a hazy one: of the same name, or of its beginning up to an underscore.

    Args:
        hazy: The hazy picture.
        truths: As `by_name` gives them.
    """
    words = _MARK.sub("", hazy.stem).split("_")
    beginnings = ("_".join(words[:count]) for count in range(len(words), 0, -1))
    return next((truths[name] for name in (hazy.stem, *beginnings) if name in truths), None)


def read_pair(files: PairFiles) -> Pair:
    """Reads a pair.

    Raises:
        SourceError: A file cannot be read, there is no clear picture, or the two are of different sizes; the message
            names the picture.
    """
    if files.clear is None:
        raise SourceError(f"{files.hazy.name} has no clear partner")
    hazy, clear = read_picture(files.hazy), read_picture(files.clear)
    if hazy.shape != clear.shape:
        sizes = f"{hazy.shape[1]}x{hazy.shape[0]}, its partner {clear.shape[1]}x{clear.shape[0]}"
        raise SourceError(f"{files.hazy.name} is {sizes}")
    transmission = None if files.transmission is None else _read_map(files.transmission)
    airlight = None if files.airlight is None else np.asarray(files.airlight, np.float32)
    return Pair(files.name, hazy, clear, transmission, airlight)


def read_picture(path: Path) -> Picture:
    """Reads a picture of any size, grey or coloured, of 8 or 16 bits; transparency is dropped.

    Returns:
        (H, W, 3) RGB, 16 bits rounded to 8.

    Raises:
        SourceError: It cannot be read.
    """
    stored = _decode(path, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if stored.dtype == np.uint16:
        stored = np.round(stored / 257.0).astype(np.uint8)
    if stored.dtype != np.uint8:
        raise SourceError(f"{path.name} has samples of {stored.dtype}, not of 8 or 16 bits")
    return np.ascontiguousarray(stored[..., ::-1])


def _read_map(path: Path) -> NDArray[np.float32]:
    stored = _decode(path, cv2.IMREAD_UNCHANGED)
    if stored.ndim != 2 or not np.issubdtype(stored.dtype, np.integer):
        raise SourceError(f"{path.parent.name}/{path.name} is no map of one channel of 8 or 16 bits")
    return (stored / np.float32(np.iinfo(stored.dtype).max)).astype(np.float32)


def _decode(path: Path, flags: int) -> NDArray[Any]:
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
        found = cv2.imdecode(content, flags) if content.size else None
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read: {error.strerror}") from error
    except cv2.error:
        found = None
    if found is None:
        raise SourceError(f"{path.name} is no picture that can be read")
    return np.asarray(found)


def _airlights(path: Path) -> dict[str, tuple[float, float, float]]:
    if not path.is_file():
        return {}
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        rows = {name: row["airlight_rgb"] for name, row in table.items() if "airlight_rgb" in row}
        return {name: (float(red), float(green), float(blue)) for name, (red, green, blue) in rows.items()}
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(f'{path} is no table of {{NAME: {{"airlight_rgb": [r, g, b]}}}}: {error}') from error
