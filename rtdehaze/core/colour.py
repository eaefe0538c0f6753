"""YUV as streams carry it: matrix, range, and the affine map between RGB and sample levels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNTAGGED", "Colour", "ColourTags", "Matrix", "luma_weights", "rgb_to_levels"]


class Matrix(StrEnum):
    """The RGB -> YUV matrix of a stream."""

    BT601 = "bt601"
    BT709 = "bt709"
    BT2020 = "bt2020"


_LUMA_WEIGHTS = {
    Matrix.BT601: (0.299, 0.587, 0.114),
    Matrix.BT709: (0.2126, 0.7152, 0.0722),
    Matrix.BT2020: (0.2627, 0.6780, 0.0593),
}


@dataclass(frozen=True, slots=True)
class ColourTags:
    """The colour tags of a stream as written in the file (ITU-T H.273 code points).

    Kept beside the resolved `Colour` because an untagged input must stay untagged.
    """

    range: int = 0
    """0 unspecified, 1 limited, 2 full."""
    space: int = 2
    """Matrix coefficients; 2 is unspecified."""
    primaries: int = 2
    """Colour primaries; 2 is unspecified."""
    transfer: int = 2
    """Transfer characteristics; 2 is unspecified, 16 is PQ, 18 is HLG."""


UNTAGGED = ColourTags()


@dataclass(frozen=True, slots=True)
class Colour:
    """How sample levels are to be read: resolved, never unspecified."""

    matrix: Matrix = Matrix.BT709
    full_range: bool = False
    tags: ColourTags = UNTAGGED


def luma_weights(matrix: Matrix) -> NDArray[np.float64]:
    """Returns the weights of R, G and B in luma, shape (3,), summing to 1."""
    return np.array(_LUMA_WEIGHTS[matrix], dtype=np.float64)


def rgb_to_levels(colour: Colour, bits: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The affine map from non-linear RGB in [0, 1] to YUV sample levels (ITU-T H.273, section 8.3).

    Args:
        colour: Matrix and range of the stream.
        bits: Significant bits of a sample, 8 or more.

    Returns:
        `(matrix, offset)`, shapes (3, 3) and (3,): `levels = matrix @ rgb + offset`, in the order Y, U, V,
        in levels of `bits` bits, not shifted (p010's shift is the pixel format's).
    """
    red, green, blue = luma_weights(colour.matrix)
    luma = np.array([red, green, blue])
    cb = (np.array([0.0, 0.0, 1.0]) - luma) / (2.0 * (1.0 - blue))
    cr = (np.array([1.0, 0.0, 0.0]) - luma) / (2.0 * (1.0 - red))
    unit = float(1 << (bits - 8))
    if colour.full_range:
        top = float((1 << bits) - 1)
        scale, black = np.array([top, top, top]), 0.0
    else:
        scale, black = np.array([219.0, 224.0, 224.0]) * unit, 16.0 * unit
    matrix = np.stack([luma, cb, cr]) * scale[:, None]
    return matrix, np.array([black, 128.0 * unit, 128.0 * unit])
