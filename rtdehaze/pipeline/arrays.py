"""Pictures as arrays: what `Dehazer.process` takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import UsageError

__all__ = ["check_picture"]


def check_picture(picture: NDArray[np.uint8], order: str) -> None:
    """Refuses what is no picture.

    Raises:
        UsageError: It is not H x W x 3 and uint8, or the order is neither `rgb` nor `bgr`; says what it is.
    """
    if order not in ("rgb", "bgr"):
        raise UsageError(f"order must be rgb or bgr, not {order!r}")
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        kind = getattr(picture, "dtype", type(picture).__name__)
        raise UsageError(f"picture must be a NumPy array of uint8, not {kind}")
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise UsageError(f"picture must be height x width x 3, not {' x '.join(map(str, picture.shape)) or 'a scalar'}")
