"""Which devices really decode: asked by decoding, since a listed device may still not open."""

from __future__ import annotations

import io
from fractions import Fraction

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.video.frame import VideoFrame

__all__ = ["available_hwaccels"]

_SIZE = 256
"""Width and height of the picture that is tried: hardware decoders refuse very small ones."""


def available_hwaccels() -> list[tuple[str, bool, str]]:
    """Returns `(name, opens, why)` for every device type that this build of FFmpeg knows.

    Each is tried on one H.264 picture; `why` is empty for those that decode it on the device.
    """
    names = hwdevices_available()
    if not names:
        return []
    try:
        sample = _sample()
    except (av.FFmpegError, ValueError) as error:
        return [(name, False, f"cannot be tried, no H.264 encoder for a sample: {error}") for name in names]
    return [(name, not why, why) for name, why in ((name, _trouble(name, sample)) for name in names)]


def _sample() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"preset": "ultrafast"})
        stream.width = stream.height = _SIZE
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(VideoFrame(_SIZE, _SIZE, "yuv420p")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _trouble(name: str, sample: bytes) -> str:
    try:
        device = HWAccel(device_type=name, allow_software_fallback=False)
        with av.open(io.BytesIO(sample), "r", hwaccel=device) as container:
            if not container.streams.video[0].codec_context.is_hwaccel:
                return "has no H.264 decoder"
            decoded = next(container.decode(video=0), None)
    except (av.FFmpegError, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        return getattr(error, "strerror", None) or str(error)
    return "" if decoded is not None else "decoded nothing"
