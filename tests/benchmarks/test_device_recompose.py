from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import onnxruntime as ort
import pytest
from device.planes import Shot
from device.recompose import build_recompose

from rtdehaze.apps.frames import empty_frame
from rtdehaze.core.colour import Colour, Matrix
from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Plane
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.recomposer import Recomposer
from rtdehaze.stages.recompose.reference import recompose_planes

WIDTH, HEIGHT = 192, 108
FORMATS = ("yuv420p", "nv12", "yuv420p10le", "p010le")


def scene(name: str, colour: Colour, *, pale: bool = False) -> Frame:
    """A hazy frame with detail, flat parts and colours; pale ones leave room in RGB."""
    shot, pixels = Shot.of(name, WIDTH, HEIGHT), PIXEL_FORMATS[name]
    rng = np.random.default_rng(1)
    top = 1 << pixels.bits
    planes = []
    for plane, (rows, samples) in shot.planes.items():
        low, high = (0.4, 0.7) if pale else (0.3, 0.85)
        if plane != "y":
            low, high = (0.49, 0.51) if pale else (0.4, 0.6)
        smooth = cv2.resize(rng.uniform(low, high, (9, 16)), (samples, rows), interpolation=cv2.INTER_CUBIC)
        noisy = smooth + rng.normal(0, 0.004 if pale else 0.02, smooth.shape) * (np.arange(samples) > samples // 2)
        stored = np.clip(np.round(noisy * top), 0, top - 1).astype(pixels.dtype) << pixels.shift
        planes.append(Plane(np.ascontiguousarray(stored, pixels.dtype), samples))
    return Frame(tuple(planes), pixels, WIDTH, HEIGHT, colour, 0, Fraction(1, 25))


def removal(*, guided: bool, strong: bool) -> Removal:
    rng = np.random.default_rng(2)
    size = (32, 18)
    low = 0.2 if strong else 0.7
    t = cv2.resize(rng.uniform(low, 0.95, (4, 6)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    t = np.clip(t, low, 1.0).astype(np.float32)
    airlight = np.array([0.78, 0.80, 0.84], np.float32).reshape(3, 1, 1)
    guide = rng.uniform(0.3, 0.8, (3, *t.shape)).astype(np.float32) if guided else None
    return Removal(t, np.maximum(t, np.float32(0.4)), airlight * (1 - t), guide)


def by_graph(frame: Frame, maps: Removal) -> list[np.ndarray]:
    shot = Shot(frame.format, frame.width, frame.height)
    height, width = maps.luma.shape
    model = build_recompose(shot, (width, height), frame.colour, guided=maps.guide is not None)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {name: plane.samples for name, plane in zip(shot.planes, frame.planes, strict=True)}
    feed |= {"luma": maps.luma[None, None], "chroma": maps.chroma[None, None], "veil": maps.veil[None]}
    if maps.guide is not None:
        feed["guide"] = maps.guide[None]
    return [np.asarray(plane) for plane in session.run([f"out_{name}" for name in shot.planes], feed)]


def by_loops(frame: Frame, maps: Removal) -> list[np.ndarray]:
    out = empty_frame(frame)
    with Recomposer() as recomposer:
        recomposer.apply(frame, maps, out)
    return [plane.samples for plane in out.planes]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("guided", [False, True], ids=["plain", "guided"])
def test_the_graph_answers_as_the_compiled_loops_do(name: str, guided: bool) -> None:
    frame, maps = scene(name, Colour()), removal(guided=guided, strong=True)
    unit = 1 << frame.format.shift
    for found, wanted in zip(by_graph(frame, maps), by_loops(frame, maps), strict=True):
        assert found.dtype == wanted.dtype
        apart = np.abs(found.astype(int) - wanted.astype(int)) / unit
        assert apart.max() <= 1
        assert (apart > 0).mean() < 0.02


@pytest.mark.parametrize("name", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize(
    "colour", [Colour(), Colour(Matrix.BT601, full_range=True), Colour(Matrix.BT2020)], ids=["709", "601-full", "2020"]
)
def test_the_graph_is_the_haze_model_to_one_level(name: str, colour: Colour) -> None:
    frame, maps = scene(name, colour, pale=True), removal(guided=False, strong=False)
    exact = recompose_planes([plane.samples for plane in frame.planes], maps, colour, frame.format.bits, (2, 2))
    for found, wanted in zip(by_graph(frame, maps), exact, strict=True):
        assert np.abs(found - wanted).max() <= 1.0


def test_what_a_graph_cannot_do_is_refused() -> None:
    with pytest.raises(UsageError, match="yuv444p"):
        Shot.of("yuv444p", 64, 64)
    with pytest.raises(UsageError, match="63x64"):
        Shot.of("yuv420p", 63, 64)


def test_a_frame_in_the_clear_stays_as_it_was() -> None:
    frame = scene("yuv420p", Colour())
    nothing = replace(
        removal(guided=True, strong=False),
        luma=np.ones((18, 32), np.float32),
        chroma=np.ones((18, 32), np.float32),
        veil=np.zeros((3, 18, 32), np.float32),
    )
    for found, plane in zip(by_graph(frame, nothing), frame.planes, strict=True):
        assert np.array_equal(found, plane.samples)
