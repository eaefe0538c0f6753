"""What is to be left untouched: burnt-in text, logos and other overlays, given as a mask or as boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import Frame, Layout, PixelFormat
from rtdehaze.core.haze import Map
from rtdehaze.core.options import Box

__all__ = ["KeepMask"]

_MOST_PARTS = 32
"""Beyond this many separate parts one copy under a mask is cheaper than a call for each."""

_Mask = NDArray[np.bool_]
_Part = tuple[slice, slice, _Mask | None]


class KeepMask:
    """Gives the samples of an overlay back to a recomposed frame, and hides it from estimation.

    Args:
        mask: (height, width), bool; True is left untouched.
    """

    def __init__(self, mask: _Mask) -> None:
        self._mask = mask
        self._parts: dict[str, list[list[_Part]]] = {}
        self._hidden: dict[tuple[int, int], _Mask] = {}

    @classmethod
    def load(cls, width: int, height: int, *, mask: Path | None = None, boxes: Sequence[Box] = ()) -> Self:
        """Reads a mask picture, adds boxes, and checks both against the size of the video.

        Args:
            width: Pixels of the picture.
            height: Pixels of the picture.
            mask: A picture of that size; whatever is not black in it is left untouched. An alpha channel is ignored.
            boxes: (x, y, width, height) in pixels.

        Raises:
            UsageError: The mask cannot be read or has another size, or a box does not lie in the picture.
        """
        kept = np.zeros((height, width), np.bool_) if mask is None else _read_mask(mask, width, height)
        for x, y, box_width, box_height in boxes:
            named = f"keep-box {x},{y},{box_width},{box_height}"
            if box_width < 1 or box_height < 1:
                raise UsageError(f"{named} is empty: its width and height must be at least 1")
            if x < 0 or y < 0 or x + box_width > width or y + box_height > height:
                raise UsageError(f"{named} does not lie within the picture of {width}x{height}")
            kept[y : y + box_height, x : x + box_width] = True
        return cls(kept)

    @property
    def mask(self) -> _Mask:
        """(height, width); True is left untouched."""
        return self._mask

    def stretched(self, width: int, height: int) -> KeepMask:
        """Returns the same mask for a picture of another size; whatever a kept pixel touches is kept."""
        share = cv2.resize(self._mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
        return KeepMask(share > 0.0)

    def restore(self, frame: Frame, out: Frame, *, left: int = 0) -> None:
        """Writes the kept samples of `frame` into `out`; a chroma sample that any kept pixel touches is kept.

        Args:
            frame: What the camera saw, of the mask's size.
            out: The recomposed frame, of the same pixel format.
            left: Column of `out` at which the picture begins, a multiple of the chroma step.
        """
        parts = self._parts.get(frame.format.name)
        if parts is None:
            parts = self._parts[frame.format.name] = [_parts(mask) for mask in _plane_masks(self._mask, frame.format)]
        for number, (plane, written, plane_parts) in enumerate(zip(frame.planes, out.planes, parts, strict=True)):
            offset = left
            if number > 0 and frame.format.layout is Layout.PLANAR:
                offset = left >> frame.format.log2_chroma_w
            target = written.samples[:, offset : offset + plane.width]
            for rows, columns, mask in plane_parts:
                if mask is None:
                    target[rows, columns] = plane.samples[rows, columns]
                else:
                    np.copyto(target[rows, columns], plane.samples[rows, columns], where=mask)

    def fill(self, thumbnail: Map) -> Map:
        """Replaces what is kept by its surroundings, so that estimation does not see the overlay.

        Args:
            thumbnail: (3, h, w) float32, the whole picture averaged down.

        Returns:
            A new thumbnail, or the same where nothing, or all of it, is kept.
        """
        size = thumbnail.shape[1:]
        hidden = self._hidden.get(size)
        if hidden is None:
            share = cv2.resize(self._mask.astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_AREA)
            hidden = self._hidden[size] = share > 0.0
        if not hidden.any() or hidden.all():
            return thumbnail
        seen = np.ascontiguousarray(thumbnail.transpose(1, 2, 0))
        filled = _pull(np.where(hidden[..., None], np.float32(0.0), seen), (~hidden).astype(np.float32))
        return np.ascontiguousarray(np.where(hidden[..., None], filled, seen).transpose(2, 0, 1))


def _read_mask(path: Path, width: int, height: int) -> _Mask:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error) as error:
        raise UsageError(
            f"cannot read the mask {path}: {getattr(error, 'strerror', None) or 'not a picture'}"
        ) from error
    if picture is None:
        raise UsageError(f"cannot read the mask {path}: not a picture that OpenCV can decode; give a PNG")
    if picture.shape[:2] != (height, width):
        raise UsageError(
            f"the mask {path} is {picture.shape[1]}x{picture.shape[0]}, the video {width}x{height}: sizes must agree"
        )
    kept: _Mask = picture.max(axis=2) > 0
    return kept


def _plane_masks(mask: _Mask, pixels: PixelFormat) -> list[_Mask]:
    """The mask for every plane; in interleaved chroma both components of a sample are kept together."""
    if pixels.layout is Layout.GRAY:
        return [mask]
    step_x, step_y = 1 << pixels.log2_chroma_w, 1 << pixels.log2_chroma_h
    height, width = mask.shape
    padded = np.pad(mask, ((0, -height % step_y), (0, -width % step_x)))
    chroma: _Mask = padded.reshape(padded.shape[0] // step_y, step_y, padded.shape[1] // step_x, step_x).max(
        axis=(1, 3)
    )
    if pixels.layout is Layout.SEMIPLANAR:
        return [mask, chroma.repeat(2, axis=1)]
    return [mask, chroma, chroma]


def _parts(mask: _Mask) -> list[_Part]:
    """Splits a mask into bounding boxes; None for the mask of a box that is kept whole."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    if count - 1 > _MOST_PARTS:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        return [(*box, np.ascontiguousarray(mask[box]))]
    parts: list[_Part] = []
    for label in range(1, count):
        x, y, width, height = (int(number) for number in stats[label, :4])
        box = slice(y, y + height), slice(x, x + width)
        inside = labels[box] == label
        parts.append((*box, None if inside.all() else inside))
    return parts


def _pull(seen: Map, weight: Map) -> Map:
    """Fills where the weight is 0 from coarser and coarser averages of where it is not (push-pull).

    Gortler, Grzeszczuk, Szeliski, Cohen (1996), "The lumigraph", section 3.5.

    Args:
        seen: (h, w, 3), 0 where the weight is 0.
        weight: (h, w), in [0, 1], somewhere above 0.

    Returns:
        (h, w, 3): the given values blended by their weight over the filling.
    """
    height, width = weight.shape
    if weight.all() or (height, width) == (1, 1):
        whole: Map = (seen / np.maximum(weight, np.float32(1e-6))[..., None]).astype(np.float32)
        return whole
    half = ((width + 1) // 2, (height + 1) // 2)
    coarse_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA).astype(np.float32)
    coarse = cv2.resize(seen, half, interpolation=cv2.INTER_AREA).astype(np.float32)
    # What a coarse sample saw of its area, given full weight as soon as that is half of it.
    gain = np.minimum(np.float32(2.0), 1.0 / np.maximum(coarse_weight, np.float32(0.5)))
    filling = _pull(coarse * gain[..., None], coarse_weight * gain)
    wide = cv2.resize(filling, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    blended: Map = (seen + wide * (1.0 - weight)[..., None]).astype(np.float32)
    return blended
