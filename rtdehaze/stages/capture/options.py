"""What a caller may ask of a source, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rtdehaze.core.errors import UsageError

__all__ = ["DEFAULT_PICTURE_RATE", "MAX_PIXELS", "CaptureOptions"]

DEFAULT_PICTURE_RATE = Fraction(25)
"""Frames per second of pictures in a row when none is given: FFmpeg's own default."""

MAX_PIXELS = 1 << 28
"""Largest picture that is decoded, in pixels (16384 x 16384). A header of a few bytes may claim any size; this is
above every camera and every codec's highest level, and keeps a frame under a gigabyte."""

_MICROSECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """How a source is to be read."""

    start: Fraction | None = None
    """Seconds from the beginning of the input where reading starts; what comes out then starts at 0."""
    duration: Fraction | None = None
    """Seconds to read."""
    threads: int = 0
    """Decoder threads; 0 leaves it to the codec."""
    hwaccel: str | None = None
    """Device that decodes, for example `cuda`; None is the CPU."""
    hdr_passthrough: bool = False
    """Whether PQ and HLG video is let through."""
    deinterlace: bool = False
    picture_rate: Fraction = DEFAULT_PICTURE_RATE
    """Frames per second of image sequences and folders."""

    @staticmethod
    def checked(
        *,
        start: float | None = None,
        duration: float | None = None,
        threads: int = 0,
        hwaccel: str | None = None,
        hdr: str = "refuse",
        deinterlace: bool = False,
        fps: float | Fraction = DEFAULT_PICTURE_RATE,
    ) -> CaptureOptions:
        """Returns the options with times and rates as fractions.

        Raises:
            UsageError: A value is out of its range.
        """
        if start is not None and not 0 <= start < float("inf"):
            raise UsageError(f"start must be 0 or more seconds, not {start}")
        if duration is not None and not 0 < duration < float("inf"):
            raise UsageError(f"duration must be more than 0 seconds, not {duration}")
        if threads < 0:
            raise UsageError(f"threads must be 0 (the codec's choice) or more, not {threads}")
        if hdr not in {"refuse", "passthrough"}:
            raise UsageError(f"hdr must be refuse or passthrough, not {hdr!r}")
        if not 0 < fps <= 1000:
            raise UsageError(f"fps must be more than 0 and at most 1000, not {fps}")
        return CaptureOptions(
            start=_seconds(start) if start else None,
            duration=None if duration is None else _seconds(duration),
            threads=threads,
            hwaccel=hwaccel,
            hdr_passthrough=hdr == "passthrough",
            deinterlace=deinterlace,
            picture_rate=Fraction(fps).limit_denominator(1001),
        )


def _seconds(value: float) -> Fraction:
    return Fraction(value).limit_denominator(_MICROSECOND)
