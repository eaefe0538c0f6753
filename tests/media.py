"""Small media files for tests, made with PyAV as the tests run; nothing binary is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

DEFAULT_CODECS = {".webm": "libvpx", ".avi": "mpeg4"}
"""Where libx264 is not at home."""

FAST_OPTIONS = {
    "libx264": {"preset": "ultrafast", "crf": "10"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
}

FIXED_RATE_CODECS = frozenset({"mpeg4", "mpeg2video"})
"""Codecs whose encoders count frames; `Clip.pts` and `Clip.time_base` do not apply."""

SAMPLE_RATE = 48_000


def picture(width: int, height: int, index: int = 0) -> NDArray[np.uint8]:
    """A smooth, coloured RGB picture (height, width, 3) whose first rows say which of a series it is."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    red = 255 * x / max(width - 1, 1)
    green = 255 * y / max(height - 1, 1)
    blue = np.full_like(red, (37 * index) % 256)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def video_frame(width: int, height: int, index: int = 0, pixel_format: str = "yuv420p") -> av.VideoFrame:
    """The picture as a frame of any pixel format that swscale writes."""
    # One thread: with more, swscale now and then writes a few wrong samples where its slices meet.
    return av.VideoFrame.from_ndarray(picture(width, height, index), format="rgb24").reformat(
        format=pixel_format, threads=1
    )


@dataclass(frozen=True)
class Clip:
    """What `write_video` writes; every field has a small default."""

    width: int = 64
    height: int = 48
    frames: int = 10
    rate: Fraction = Fraction(25)
    codec: str | None = None
    pixel_format: str = "yuv420p"
    time_base: Fraction = Fraction(1, 90_000)
    pts: Sequence[int] | None = None
    """In units of `time_base`; None is the nominal rate."""
    gop: int = 12
    b_frames: int = 0
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    colour: dict[str, int] = field(default_factory=dict)
    """Attributes of the codec context: color_range, colorspace, color_primaries, color_trc."""
    sample_aspect_ratio: Fraction | None = None
    rotation: int = 0
    interlaced: bool = False
    audio: int = 0
    """How many audio tracks, each a sine of its own pitch."""
    audio_codec: str | None = None
    audio_start: float = 0.0
    subtitles: Sequence[tuple[float, float, str]] = ()
    """(start, end, text) in seconds."""
    subtitle_codec: str | None = None
    attachment: bytes | None = None
    chapters: Sequence[tuple[float, float, str]] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    languages: Sequence[str] = ()
    """Languages of video, then of the audio tracks, then of the subtitles."""


def write_video(path: Path, clip: Clip | None = None, **changes: Any) -> Path:
    """Writes a clip into the container that the extension names and returns the path."""
    clip = Clip(**changes) if clip is None else clip
    with av.open(str(path), "w", container_options=clip.container_options) as container:
        container.metadata.update(clip.metadata)
        video = _add_video(container, clip, path)
        audio = [_add_audio(container, clip, path) for _ in range(clip.audio)]
        subtitles = _add_subtitles(container, clip, path) if clip.subtitles else None
        streams = [video, *audio, *([subtitles] if subtitles is not None else [])]
        for stream, language in zip(streams, clip.languages, strict=False):
            stream.metadata["language"] = language
        if clip.attachment is not None:
            container.add_attachment("note.txt", "text/plain", clip.attachment)
        if clip.chapters:
            container.set_chapters(_chapters(clip))
        container.start_encoding()
        if subtitles is not None:
            _mux_subtitles(container, subtitles, clip)
        _mux_media(container, video, audio, clip)
    return path


def write_image(path: Path, width: int = 32, height: int = 24, index: int = 0, pixel_format: str | None = None) -> Path:
    """Writes one picture, its codec chosen by the extension (png, jpg, bmp, tif, webp)."""
    codecs = {
        ".png": ("png", "rgb24"),
        ".jpg": ("mjpeg", "yuvj420p"),
        ".bmp": ("bmp", "bgr24"),
        ".tif": ("tiff", "rgb24"),
    }
    codec, default = codecs[path.suffix]
    frame = video_frame(width, height, index, pixel_format or default)
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = width, height, frame.format.name
    context.time_base = Fraction(1, 25)
    packets = [*context.encode(frame), *context.encode(None)]
    path.write_bytes(b"".join(bytes(packet) for packet in packets))
    return path


def decoded(path: Path, stream: int = 0) -> list[av.VideoFrame]:
    """Every frame of a video stream as PyAV decodes it."""
    with av.open(str(path)) as container:
        return list(container.decode(video=stream))


def packets(path: Path) -> dict[int, list[tuple[int | None, int | None, bytes]]]:
    """(pts, dts, payload) of every packet by stream index."""
    found: dict[int, list[tuple[int | None, int | None, bytes]]] = {}
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.size:
                found.setdefault(packet.stream_index, []).append((packet.pts, packet.dts, bytes(packet)))
    return found


def _add_video(container: Any, clip: Clip, path: Path) -> Any:
    codec = clip.codec or DEFAULT_CODECS.get(path.suffix, "libx264")
    options = {**FAST_OPTIONS.get(codec, {}), **clip.options}
    video = container.add_stream(codec, rate=clip.rate, options=options)
    video.width, video.height, video.pix_fmt = clip.width, clip.height, clip.pixel_format
    context = video.codec_context
    context.time_base = clip.time_base if codec not in FIXED_RATE_CODECS else 1 / clip.rate
    if codec in {"libx264", "libx265", "mpeg4", "libvpx", "libvpx-vp9", "mpeg2video"}:
        context.gop_size = clip.gop
        context.max_b_frames = clip.b_frames
    context.thread_count = 1
    for name, value in clip.colour.items():
        setattr(context, name, value)
    if clip.interlaced:
        context.flags |= av.codec.context.Flags.interlaced_dct
    if clip.sample_aspect_ratio is not None:
        context.sample_aspect_ratio = clip.sample_aspect_ratio
    if clip.rotation:
        video.set_display_rotation(clip.rotation)
    return video


def _add_audio(container: Any, clip: Clip, path: Path) -> Any:
    codec = clip.audio_codec or {".webm": "libopus", ".avi": "mp3", ".mov": "pcm_s16le"}.get(path.suffix, "aac")
    return container.add_stream(codec, rate=SAMPLE_RATE, layout="mono")


def _add_subtitles(container: Any, clip: Clip, path: Path) -> Any:
    default = {".mp4": "mov_text", ".mov": "mov_text", ".webm": "webvtt"}.get(path.suffix, "subrip")
    stream = container.add_stream(clip.subtitle_codec or default)
    stream.codec_context.subtitle_header = (
        b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n"
        b"Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
        b"Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
        b"MarginR, MarginV, Encoding\n"
        b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0\n\n[Events]\n"
        b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    )
    stream.codec_context.time_base = Fraction(1, 1000)
    return stream


def _mux_subtitles(container: Any, stream: Any, clip: Clip) -> None:
    for number, (start, end, text) in enumerate(clip.subtitles):
        line = f"{number},0,Default,,0,0,0,,{text}".encode()
        subtitle = av.subtitles.subtitle.SubtitleSet.create(line, 0, round(1000 * (end - start)), round(start * 1e6))
        packet = stream.codec_context.encode_subtitle(subtitle)
        packet.time_base = Fraction(1, 1000)
        packet.pts = packet.dts = round(1000 * start)
        packet.duration = round(1000 * (end - start))
        packet.stream = stream
        container.mux(packet)


def _mux_media(container: Any, video: Any, audio: list[Any], clip: Clip) -> None:
    step = float(1 / clip.rate)
    for index in range(clip.frames):
        frame = video_frame(clip.width, clip.height, index, clip.pixel_format)
        ticks = round(index / clip.rate / clip.time_base) if clip.pts is None else clip.pts[index]
        if video.codec_context.name in FIXED_RATE_CODECS:
            ticks, frame.time_base = index, 1 / clip.rate
        else:
            frame.time_base = clip.time_base
        frame.pts = ticks
        container.mux(video.encode(frame))
        for track, stream in enumerate(audio):
            _mux_audio(container, stream, track, index * step, step, clip.audio_start)
    container.mux(video.encode(None))
    for stream in audio:
        container.mux(stream.encode(None))


def _mux_audio(container: Any, stream: Any, track: int, start: float, length: float, offset: float) -> None:
    first = round(start * SAMPLE_RATE)
    count = round((start + length) * SAMPLE_RATE) - first
    wave = 8000 * np.sin(2 * np.pi * (330 + 110 * track) * (first + np.arange(count)) / SAMPLE_RATE)
    frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.time_base = Fraction(1, SAMPLE_RATE)
    frame.pts = first + round(offset * SAMPLE_RATE)
    container.mux(stream.encode(frame))


def _chapters(clip: Clip) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "start": round(1000 * start),
            "end": round(1000 * end),
            "time_base": Fraction(1, 1000),
            "metadata": {"title": title},
        }
        for number, (start, end, title) in enumerate(clip.chapters)
    ]


def fine_contrast(picture: NDArray[np.uint8]) -> float:
    """How much a picture changes from pixel to pixel, in levels: what haze takes away, whatever the brightness."""
    grey = (picture if picture.ndim == 2 else picture.mean(axis=2)).astype(np.float32)
    return float(np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_32F)).mean())
