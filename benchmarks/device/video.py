"""NVDEC and NVENC, where PyAV is there and they open."""

from __future__ import annotations

import importlib.util
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = ["hardware_codecs"]

_ENCODERS = ("h264_nvenc", "hevc_nvenc", "av1_nvenc")
_SIZES = ("1080p", "4k")


def hardware_codecs(seconds: float) -> dict[str, Any]:
    """Frames a second of decoding by NVDEC, and of whole runs with NVENC; or why not."""
    if importlib.util.find_spec("av") is None:
        return {"skipped": "av is not installed here"}
    from rtdehaze.apps.bench.bench import bench
    from rtdehaze.apps.bench.plan import make_plan
    from rtdehaze.core.errors import RtdehazeError
    from rtdehaze.stages.capture.hardware import available_hwaccels
    from rtdehaze.stages.encode.encoders import available_encoders

    encoders = {state.name: state for state in available_encoders() if state.name in _ENCODERS}
    found: dict[str, Any] = {"encoders": {name: state.why or "opens" for name, state in encoders.items()}}
    decoders = {name: (opens, why) for name, opens, why in available_hwaccels()}
    opens, why = decoders.get("cuda", (False, "not in this build of FFmpeg"))
    found["nvdec"] = {size: _decode(size, seconds) for size in _SIZES} if opens else why
    usable = [name for name, state in encoders.items() if state.opens]
    if usable:
        plan = make_plan(sizes=_SIZES, models=["base"], providers=["cuda"], codecs=usable, seconds=seconds)
        try:
            found["runs"] = [
                {"size": row.size, "codec": row.codec, "fps": row.fps.median, "ratio": row.ratio.median}
                for row in bench(plan).rows
            ]
        except RtdehazeError as error:
            found["runs"] = str(error)
    return found


def _decode(size: str, seconds: float) -> float:
    """Frames a second of decoding alone, copies to the host included."""
    from rtdehaze.apps.bench.material import gather
    from rtdehaze.apps.bench.plan import GENERATED, parse_size
    from rtdehaze.apps.demo import write_frames
    from rtdehaze.core.frame import Frame
    from rtdehaze.stages.capture.source import open_source

    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mkv"
        write_frames(clip, list(gather(GENERATED, parse_size(size)).frames), 112)
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            with closing(open_source(str(clip), hwaccel="cuda")) as source:
                count += sum(isinstance(item, Frame) for item in source.items())
        return round(count / (time.perf_counter() - begin), 1)
