"""MPEG-TS whose picture flashes when its sound beeps."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np

RATE, SAMPLES = 25, 48_000
MARK = 0.6
"""Seconds from the beginning of each part at which it flashes and beeps, for a fifth of a second."""
SECONDS = 1.2


def marked(begin: int) -> bytes:
    """Returns a second of MPEG-TS whose clock begins at `begin` seconds."""
    target = io.BytesIO()
    with av.open(target, "w", format="mpegts") as container:
        video: Any = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio: Any = container.add_stream("mp2", rate=SAMPLES, layout="mono")
        step = 1152
        sent = 0
        for number in range(round(SECONDS * RATE)):
            time = number / RATE
            picture = np.full((48 * 3 // 2, 64), 128, np.uint8)
            picture[:48] = 230 if MARK <= time < MARK + 0.2 else 20
            frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
            frame.pts, frame.time_base = begin * RATE + number, Fraction(1, RATE)
            container.mux(video.encode(frame))
            while sent / SAMPLES < time + 1 / RATE:
                times = np.arange(sent, sent + step) / SAMPLES
                wave = np.where((times >= MARK) & (times < MARK + 0.2), np.sin(times * 2 * np.pi * 1000), 0.0)
                sound = av.AudioFrame.from_ndarray((wave * 20_000).astype(np.int16)[None], "s16", "mono")
                sound.rate, sound.pts, sound.time_base = SAMPLES, begin * SAMPLES + sent, Fraction(1, SAMPLES)
                container.mux(audio.encode(sound))
                sent += step
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return target.getvalue()
