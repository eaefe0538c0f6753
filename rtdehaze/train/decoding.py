"""One picture to learn from, and how each kind of it is read from its files when it is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import SourceError

__all__ = [
    "LONG_SIDE",
    "LonePicture",
    "PackPicture",
    "PicturePair",
    "Reference",
    "Scene",
    "UnreadableError",
    "limited",
    "read_picture",
    "root_of_depth",
]

LONG_SIDE = 512
"""Samples. Larger pictures are kept at this size: twice what networks are trained at."""
SHAPE_TOLERANCE = 0.02
"""Share of a map's height by which its shape may differ from its picture's, and at least one row: rounding."""

Picture = NDArray[np.uint8]
Root = NDArray[np.uint16]


class UnreadableError(SourceError):
    """A picture that cannot be used; it is left out, counted and named, and another takes its place."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture to learn from."""

    name: str
    clear: Picture
    """(H, W, 3) RGB."""
    disparity: Root | None = None
    """(H, W): 65535 times the square root of the disparity, 1 at the nearest point, 0 in the sky. The root keeps
    the far field's steps small. None where depth is not known."""
    hazy: Picture | None = None
    """(H, W, 3) RGB, where real or ready-made haze comes with the picture."""

    @property
    def size(self) -> int:
        """Bytes that it takes in memory."""
        return sum(part.nbytes for part in (self.clear, self.disparity, self.hazy) if part is not None)


class Reference(Protocol):
    """Where a scene is, before anything of it was read."""

    def load(self) -> Scene:
        """Reads it.

        Raises:
            UnreadableError: It cannot be read or used; the message names the file and the reason.
        """


@dataclass(frozen=True, slots=True)
class PackPicture:
    """A picture of a training pack: `rgb/NAME.jpg` and `disp/NAME.png`, 8 or 16 bit, the root of the disparity."""

    folder: Path
    name: str

    def load(self) -> Scene:
        """Reads both, the disparity enlarged to the picture."""
        clear = read_picture(self.folder / "rgb" / f"{self.name}.jpg")
        path = self.folder / "disp" / f"{self.name}.png"
        stored = _read_map(path, clear.shape)
        if stored.dtype == np.uint8:
            stored = stored.astype(np.uint16) * 257
        if stored.dtype != np.uint16:
            raise UnreadableError(f"{path} holds {stored.dtype}, not 8 or 16 bit")
        size = clear.shape[1::-1]
        return Scene(self.name, clear, np.asarray(cv2.resize(stored, size, interpolation=cv2.INTER_LINEAR), np.uint16))


@dataclass(frozen=True, slots=True)
class LonePicture:
    """A clear picture of a folder, with the file of its depth or disparity where there is one."""

    path: Path
    depth: Path | None = None
    is_disparity: bool = False

    def load(self) -> Scene:
        """Reads both; depth may be in any unit."""
        clear = read_picture(self.path)
        if self.depth is None:
            return Scene(self.path.stem, clear)
        values = _read_map(self.depth, clear.shape).astype(np.float32)
        if not (np.isfinite(values) & (values > 0)).any():
            raise UnreadableError(f"{self.depth} holds no {'disparity' if self.is_disparity else 'depth'} above 0")
        root = _root_of_disparity(values) if self.is_disparity else root_of_depth(values)
        return Scene(self.path.stem, clear, np.asarray(cv2.resize(root, clear.shape[1::-1]), np.uint16))


@dataclass(frozen=True, slots=True)
class PicturePair:
    """A hazy picture and the clear one it was made from."""

    hazy: Path
    clear: Path

    def load(self) -> Scene:
        """Reads both."""
        hazy, clear = read_picture(self.hazy), read_picture(self.clear)
        if hazy.shape != clear.shape:
            sizes = " and ".join(f"{picture.shape[1]}x{picture.shape[0]}" for picture in (hazy, clear))
            raise UnreadableError(f"{self.hazy} and its clear partner differ in size: {sizes}")
        return Scene(self.hazy.stem, clear, hazy=hazy)


def read_picture(path: Path) -> Picture:
    """Reads a picture as (H, W, 3) RGB, its long side at most `LONG_SIDE`.

    Raises:
        UnreadableError: It is missing, broken or cut short.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}") from error
    how = cv2.IMREAD_COLOR
    if data[:2] == b"\xff\xd8":
        # OpenCV fills what is missing of a JPEG with grey and says nothing.
        if data.rfind(b"\xff\xd9") < len(data) // 2:
            raise UnreadableError(f"{path} is cut short")
        # A photograph of 12 million pixels is decoded at half or a quarter of its size, four times as fast.
        ratio = _jpeg_side(data) // (2 * LONG_SIDE)
        how = cv2.IMREAD_REDUCED_COLOR_4 if ratio >= 4 else cv2.IMREAD_REDUCED_COLOR_2 if ratio >= 2 else how
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), how) if data else None
    if picture is None:
        raise UnreadableError(f"{path} is no picture that can be decoded")
    return limited(np.asarray(picture[..., ::-1], np.uint8))


def limited(picture: Picture) -> Picture:
    """The picture, averaged down to a long side of `LONG_SIDE` where it is larger."""
    scale = LONG_SIDE / max(picture.shape[:2])
    if scale < 1.0:
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(picture)


def root_of_depth(depth: NDArray[np.float32]) -> Root:
    """Depth in any unit as `Scene.disparity`; 0, infinity and NaN are where a sensor saw nothing: the far field."""
    seen = np.isfinite(depth) & (depth > 0)
    nearest = depth[seen].min() if seen.any() else 1.0
    return _root_of_disparity(np.where(seen, nearest / np.where(seen, depth, 1.0), 0.0).astype(np.float32))


def _root_of_disparity(disparity: NDArray[np.float32]) -> Root:
    finite = np.nan_to_num(disparity, nan=0.0, posinf=0.0, neginf=0.0)
    greatest = float(finite.max())
    root = np.sqrt(np.clip(finite / greatest if greatest > 0 else finite, 0.0, 1.0)) * 65535
    return root.astype(np.uint16)


def _read_map(path: Path, shape: tuple[int, ...]) -> NDArray[Any]:
    """A stored map of one channel that has the shape of its picture, whatever its size."""
    try:
        stored = np.load(path, allow_pickle=False) if path.suffix == ".npy" else _imread(path)
    except (OSError, ValueError, EOFError):
        stored = None
    if stored is None or stored.ndim != 2 or 0 in stored.shape:
        raise UnreadableError(f"{path} is no readable map of one channel")
    height = stored.shape[1] * shape[0] / shape[1]
    if abs(stored.shape[0] - height) > max(1.0, SHAPE_TOLERANCE * height):
        sizes = f"{stored.shape[1]}x{stored.shape[0]}, its picture {shape[1]}x{shape[0]}"
        raise UnreadableError(f"{path} is {sizes}: another shape")
    return np.asarray(stored)


def _imread(path: Path) -> NDArray[Any] | None:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None


def _jpeg_side(data: bytes) -> int:
    """The longer side that a JPEG's frame header tells of; 0 where there is none."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return max(int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big"))
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0
