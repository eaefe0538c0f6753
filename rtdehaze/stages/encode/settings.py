"""What each encoder is told when the user says nothing: visually lossless, at a speed that keeps up."""

from __future__ import annotations

from dataclasses import dataclass, field

from rtdehaze.core.errors import UsageError

__all__ = ["CODECS", "Settings", "options_for", "quantiser", "settings_of"]

CODECS: dict[str, tuple[str, ...]] = {
    "h264": ("libx264", "h264_nvenc", "h264_qsv", "h264_amf", "h264_v4l2m2m"),
    "hevc": ("libx265", "hevc_nvenc", "hevc_qsv", "hevc_amf", "hevc_v4l2m2m"),
    "av1": ("libsvtav1", "av1_nvenc", "av1_qsv", "av1_amf"),
    "vp9": ("libvpx-vp9", "vp9_qsv"),
    "vp8": ("libvpx",),
    "ffv1": ("ffv1",),
    "mjpeg": ("mjpeg", "mjpeg_qsv"),
    "prores": ("prores_ks",),
    "dnxhd": ("dnxhd",),
    "mpeg4": ("mpeg4",),
    "mpeg2video": ("mpeg2video", "mpeg2_qsv"),
    "huffyuv": ("huffyuv",),
    "utvideo": ("utvideo",),
}
"""Codecs by name, each with the encoders that make it, the default first. Hardware is used when it is named: a file
must not depend on the machine that made it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the common words `crf` and `preset` are said to one encoder, and their defaults."""

    quality: str | None = None
    """The option that holds the quality; `quantiser` for FFmpeg's own scale; None where there is none."""
    default_quality: float | None = None
    preset: str | None = None
    """The option that holds the preset; None where there is none."""
    default_preset: str | None = None
    options: dict[str, str] = field(default_factory=dict)


HELD_SECONDS = 1.2
"""What an encoder may hold back of the past; with a fragment of half a second, a killed run loses less than 2 s."""

_X264_LOOKAHEAD = {"fast": 30, "medium": 40, "slow": 50, "slower": 60, "veryslow": 60, "placebo": 60}
"""Frames that x264's slower presets look ahead."""

_SVT_HELD = 50
"""Frames that SVT-AV1 holds back by itself, measured; without looking past its mini-GOP it is 33."""

_PROMPT: dict[str, dict[str, str]] = {
    # Without forced-idr a keyframe that is asked for may be one at which decoding cannot begin.
    "libx264": {"tune": "zerolatency", "forced-idr": "1"},
    "libx265": {"tune": "zerolatency", "forced-idr": "1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
    "h264_qsv": {"async_depth": "1", "look_ahead": "0", "forced_idr": "1"},
    "hevc_qsv": {"async_depth": "1", "forced_idr": "1"},
    "_nvenc": {"tune": "ull", "zerolatency": "1", "delay": "0", "rc-lookahead": "0", "forced-idr": "1"},
    "_qsv": {"async_depth": "1"},
    "_amf": {"usage": "ultralowlatency", "forced_idr": "1"},
}
"""What makes an encoder give each frame's packet at once; hardware encoders by the end of their names. SVT-AV1 is told
in its own words."""

_PROMPT_QUALITY = {"libx264": 22.0, "libx265": 24.0, "libvpx-vp9": 30.0, "libvpx": 16.0, "libsvtav1": 32.0}
"""Default quality of live video: a little coarser than files', for networks and for weeks of recording."""

_NVENC = Settings("cq", 21, "preset", "p4", {"rc": "vbr"})
_QSV = Settings("global_quality", 21, "preset", "medium")
_AMF = Settings("qvbr_quality_level", 21, "quality", "balanced", {"rc": "qvbr"})

_SETTINGS: dict[str, Settings] = {
    "libx264": Settings("crf", 18, "preset", "veryfast"),
    "libx265": Settings("crf", 20, "preset", "veryfast", {"a53cc": "1"}),
    "libsvtav1": Settings("crf", 26, "preset", "10"),
    "libvpx-vp9": Settings("crf", 24, "cpu-used", "5", {"row-mt": "1", "deadline": "good"}),
    "libvpx": Settings("crf", 10, "cpu-used", "5", {"deadline": "good"}),
    "ffv1": Settings(options={"level": "3", "slicecrc": "1"}),
    "mjpeg": Settings("quantiser", 3),
    "mpeg4": Settings("quantiser", 2),
    "mpeg2video": Settings("quantiser", 2),
    "prores_ks": Settings(options={"profile": "hq", "vendor": "apl0"}),
}


def settings_of(encoder: str) -> Settings:
    """Returns how an encoder is spoken to; nothing is assumed of an unknown one."""
    for suffix, settings in (("_nvenc", _NVENC), ("_qsv", _QSV), ("_amf", _AMF)):
        if encoder.endswith(suffix):
            return settings
    return _SETTINGS.get(encoder, Settings())


def options_for(
    encoder: str,
    *,
    crf: float | None = None,
    preset: str | None = None,
    bitrate: int | None = None,
    threads: int = 0,
    rate: float = 25.0,
    prompt: bool = False,
    extra: dict[str, str] | None = None,
) -> dict[str, str]:
    """Returns an encoder's options: our defaults, what the user said in common words, then `extra` as it is.

    Args:
        encoder: FFmpeg's name.
        crf: Quality in its own scale.
        preset: Speed in its own words.
        bitrate: Bits per second; what is said here is only that no quality is.
        threads: 0 for its own choice.
        rate: Frames per second, for what an encoder may hold back.
        prompt: It may hold back nothing.
        extra: Said last.

    Raises:
        UsageError: The encoder has no such setting.
    """
    settings = settings_of(encoder)
    _check(encoder, settings, crf, preset)
    options = dict(settings.options)
    if settings.preset is not None:
        options[settings.preset] = preset or settings.default_preset or ""
    usual = _PROMPT_QUALITY.get(encoder, settings.default_quality) if prompt else settings.default_quality
    quality = crf if crf is not None else (usual if bitrate is None else None)
    if quality is not None and settings.quality is not None:
        options.update(quantiser(quality) if settings.quality == "quantiser" else {settings.quality: f"{quality:g}"})
    if bitrate is not None and crf is None:
        options.pop("rc", None)
    options.update(_prompt(encoder, preset) if prompt else _nearly_prompt(encoder, preset, rate))
    options.update(extra or {})
    for option, value in _native_words(encoder, threads, rate, prompt=prompt).items():
        options[option] = ":".join(filter(None, [value, options.get(option)]))
    return options


def quantiser(quality: float) -> dict[str, str]:
    """Returns the options that hold FFmpeg's own encoders at a quantiser, 1 (best) to 31.

    `global_quality` would need each frame's `quality`, which PyAV does not set.
    """
    return {"qmin": f"{quality:.0f}", "qmax": f"{quality:.0f}"}


def _check(encoder: str, settings: Settings, crf: float | None, preset: str | None) -> None:
    if crf is not None and settings.quality is None:
        message = f"{encoder} has no quality setting (crf = {crf:g}); leave --crf out or choose another encoder"
        raise UsageError(message)
    if preset is not None and settings.preset is None:
        message = f"{encoder} has no presets ({preset!r}); leave --preset out or choose another encoder"
        raise UsageError(message)


def _prompt(encoder: str, preset: str | None) -> dict[str, str]:
    """Returns what makes an encoder hold back nothing; a preset that was asked for stays."""
    kind = next(
        (kind for kind in (encoder, "_nvenc", "_qsv", "_amf") if encoder.endswith(kind) and kind in _PROMPT), ""
    )
    said = _PROMPT.get(kind, {})
    own = settings_of(encoder).preset
    return {option: value for option, value in said.items() if preset is None or option != own}


def _nearly_prompt(encoder: str, preset: str | None, rate: float) -> dict[str, str]:
    """Shortens x264's look ahead where a slow preset would hold back more than a killed run may lose."""
    usual = _X264_LOOKAHEAD.get(preset or "", 0)
    # B-frames and threads hold seven more.
    allowed = max(round(HELD_SECONDS * rate) - 7, 10)
    return {"rc-lookahead": str(allowed)} if encoder == "libx264" and usual > allowed else {}


def _native_words(encoder: str, threads: int, rate: float, *, prompt: bool) -> dict[str, str]:
    """What has to be said in an encoder's own words, past FFmpeg's options; the user's come after and win."""
    if encoder == "libx265":
        # It writes to the terminal by itself, past FFmpeg's logging, and does not look at FFmpeg's thread count.
        return {"x265-params": "log-level=none" + (f":pools={threads}" if threads else "")}
    if encoder == "libsvtav1":
        words = [f"lp={threads}"] if threads else []
        if prompt or rate * HELD_SECONDS < _SVT_HELD:
            words.append("lookahead=0")
        if prompt:
            # Low delay instead of a hierarchy of frames that look ahead.
            words.append("pred-struct=1")
        return {"svtav1-params": ":".join(words)} if words else {}
    return {}
