"""Pictures to learn from, decoded once and kept as bytes: packs, folders, and hazy/clear pairs."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import SourceError
from rtdehaze.train.config import DataConfig

__all__ = ["Scene", "load_scenes", "read_pack", "read_pairs", "read_pictures"]

log = logging.getLogger("rtdehaze.train")

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
LONG_SIDE = 512
"""Samples. Larger pictures are kept at this size: twice what networks are trained at."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture to learn from."""

    name: str
    clear: Picture
    """(H, W, 3) RGB."""
    disparity: NDArray[np.uint16] | None = None
    """(H, W): 65535 times the square root of the disparity, 1 at the nearest point, 0 in the sky. The root keeps
    the far field's steps small. None where depth is not known."""
    hazy: Picture | None = None
    """(H, W, 3) RGB, where real or ready-made haze comes with the picture."""


def load_scenes(data: DataConfig) -> list[Scene]:
    """Reads everything that the configuration names.

    Raises:
        SourceError: A folder is missing, empty, or holds pairs without partners; the message names it.
    """
    scenes: list[Scene] = []
    for pack in data.packs:
        scenes += read_pack(Path(pack), data.sets)
    for folder in data.pictures:
        scenes += read_pictures(Path(folder))
    for folder in data.pairs:
        scenes += read_pairs(Path(folder))
    if not scenes:
        raise SourceError("nothing to train on: data.packs, data.pictures and data.pairs name no folder")
    return scenes


def read_pack(folder: Path, sets: tuple[str, ...] = ()) -> list[Scene]:
    """Reads a training pack: `rgb/NAME.jpg`, `disp/NAME.png` holding (value/255) = sqrt(disparity), `index.csv`.

    Args:
        folder: The pack.
        sets: Values of the index's column `set` to keep; empty keeps all.

    Raises:
        SourceError: No index, or nothing in it can be used.
    """
    try:
        with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if not sets or row["set"] in sets]
    except (OSError, KeyError) as error:
        raise SourceError(f"{folder} is no training pack: index.csv cannot be read ({error})") from error
    return _usable(folder, (_scene(folder, row["name"]) for row in rows))


def read_pictures(folder: Path) -> list[Scene]:
    """Reads clear pictures; `disp/NAME.png|npy` or `depth/NAME.png|npy` beside them is used where it exists.

    Raises:
        SourceError: The folder is missing or holds no readable picture.
    """
    return _usable(folder, (_with_depth(path) for path in _pictures(folder)))


def read_pairs(folder: Path) -> list[Scene]:
    """Reads hazy/clear pairs in the RESIDE naming: `hazy/0001_0.8_0.2.jpg` belongs to `clear/0001.*` (or `gt`).

    Raises:
        SourceError: A folder is missing, or no hazy picture has a partner.
    """
    clear = next((folder / name for name in ("clear", "gt", "GT") if (folder / name).is_dir()), None)
    if clear is None:
        raise SourceError(f"{folder} holds no folder named clear or gt")
    partners = {path.stem: path for path in _pictures(clear)}
    named = (
        (path, partners.get(path.stem) or partners.get(path.stem.split("_")[0])) for path in _pictures(folder / "hazy")
    )
    return _usable(folder, (_pair(path, partner) for path, partner in named))


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SourceError(f"folder {folder} does not exist")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def _usable(folder: Path, scenes: Iterator[Scene | str]) -> list[Scene]:
    """Keeps what could be read; names and counts what could not."""
    good: list[Scene] = []
    bad: list[str] = []
    for scene in scenes:
        if isinstance(scene, str):
            bad.append(scene)
        else:
            good.append(scene)
    if bad:
        named = "; ".join(bad[:5]) + ("; ..." if bad[5:] else "")
        log.warning("%d pictures of %s left out: %s", len(bad), folder, named)
    if not good:
        raise SourceError(f"folder {folder} holds no picture that can be used")
    return good


def _scene(folder: Path, name: str) -> Scene | str:
    clear, root = _read(folder / "rgb" / f"{name}.jpg"), folder / "disp" / f"{name}.png"
    stored = cv2.imread(str(root), cv2.IMREAD_GRAYSCALE) if root.is_file() else None
    if clear is None or stored is None:
        return f"{name} ({'picture' if clear is None else 'disparity'} unreadable)"
    enlarged = cv2.resize(stored.astype(np.uint16) * 257, clear.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return Scene(name, clear, np.asarray(enlarged, np.uint16))


def _with_depth(path: Path) -> Scene | str:
    clear = _read(path)
    if clear is None:
        return f"{path.name} (unreadable)"
    for kind in ("disp", "depth"):
        for suffix in (".png", ".npy"):
            file = path.parent / kind / (path.stem + suffix)
            if file.is_file():
                return _deep(path, clear, file, kind == "depth")
    return Scene(path.stem, clear)


def _deep(path: Path, clear: Picture, file: Path, is_depth: bool) -> Scene | str:
    """A scene with the depth or disparity of `file`, whatever its unit."""
    try:
        stored = (
            np.load(file, allow_pickle=False) if file.suffix == ".npy" else cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        )
    except (OSError, ValueError):
        stored = None
    if stored is None or stored.ndim != 2:
        return f"{path.name} ({file.name} is no map of one channel)"
    if abs(stored.shape[1] / stored.shape[0] - clear.shape[1] / clear.shape[0]) > 0.02:
        return f"{path.name} ({file.name} is {stored.shape[1]}x{stored.shape[0]}: another shape)"
    values = stored.astype(np.float32)
    if is_depth:
        # Depth 0 or infinity is where a sensor saw nothing: the far field.
        seen = np.isfinite(values) & (values > 0)
        if not seen.any():
            return f"{path.name} ({file.name} holds no depth)"
        values = np.where(seen, values[seen].min() / np.where(seen, values, 1.0), 0.0).astype(np.float32)
    greatest = float(values.max())
    root = np.sqrt(np.clip(values / greatest if greatest > 0 else values, 0.0, 1.0)) * 65535
    size = clear.shape[1::-1]
    return Scene(path.stem, clear, np.asarray(cv2.resize(root.astype(np.uint16), size), np.uint16))


def _pair(hazy: Path, clear: Path | None) -> Scene | str:
    if clear is None:
        return f"{hazy.name} (no clear partner)"
    first, second = _read(hazy), _read(clear)
    if first is None or second is None:
        return f"{hazy.name} (unreadable)"
    if first.shape != second.shape:
        return f"{hazy.name} (its partner has another size)"
    return Scene(hazy.stem, second, hazy=first)


def _read(path: Path) -> Picture | None:
    """A picture as RGB, its long side at most `LONG_SIDE`; None if it cannot be read."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if picture is None:
        return None
    scale = LONG_SIDE / max(picture.shape[:2])
    if scale < 1.0:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(picture[..., ::-1])
