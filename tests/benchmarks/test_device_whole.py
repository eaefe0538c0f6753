from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from device.planes import Shot
from device.whole import build_estimate, build_whole, open_network

from rtdehaze.apps.drive import drive_frames
from rtdehaze.apps.frames import empty_frame
from rtdehaze.core.frame import Frame
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.estimate.assignment import Assigned, strays
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.stages.estimate.thumbnail import thumbnail_of


@pytest.fixture(scope="module")
def frame() -> Frame:
    return drive_frames(width=320, height=192, count=1, noise=0.004)[0]


def run(model: object, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    content = model.SerializeToString()  # type: ignore[attr-defined]
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return [np.asarray(found) for found in session.run(None, feed)]


def planes(frame: Frame) -> dict[str, np.ndarray]:
    return {name: plane.samples for name, plane in zip("yuv", frame.planes, strict=True)}


@pytest.mark.parametrize("model", ["base", "cap"])
def test_one_graph_dehazes_as_the_pipeline_does(frame: Frame, model: str) -> None:
    shot = Shot(frame.format, frame.width, frame.height)
    found = run(build_whole(shot, open_network(model, shot, half=False), frame.colour), planes(frame))
    out = empty_frame(frame)
    with Dehazer.load(model, mode=Mode.MANUAL, smoothing=0.0, exposure=False, provider="cpu", threads=1) as dehazer:
        dehazer.apply(frame, dehazer.decide(frame), out)
    for one, plane in zip(found, out.planes, strict=True):
        apart = np.abs(one.astype(int) - plane.samples.astype(int))
        assert apart.max() <= 2
        assert (apart > 0).mean() < 0.03


def test_half_precision_moves_the_picture_by_little(frame: Frame) -> None:
    shot = Shot(frame.format, frame.width, frame.height)
    full, half = (
        run(build_whole(shot, open_network("base", shot, half=half), frame.colour), planes(frame))
        for half in (False, True)
    )
    for one, other in zip(full, half, strict=True):
        apart = np.abs(one.astype(int) - other.astype(int))
        assert 0 < apart.mean() < 0.5


def test_the_first_half_gives_the_thumbnail_and_the_models_answer(frame: Frame) -> None:
    shot = Shot(frame.format, frame.width, frame.height)
    network = open_network("base", shot, half=False)
    model = build_estimate(shot, network, frame.colour, plan=False)
    maps = dict(zip((output.name for output in model.graph.output), run(model, planes(frame)), strict=True))
    thumbnail = thumbnail_of(frame, *network.thumbnail)
    assert np.abs(maps["thumbnail"][0] - thumbnail).max() < 1e-4
    haze = open_estimator("base", provider="cpu").estimate(thumbnail)
    assert haze.removal is not None
    assert np.abs(maps["luma"][0, 0] - haze.removal.luma).max() < 1e-3
    assert np.abs(maps["veil"][0] - haze.removal.veil).max() < 1e-3
    assert np.abs(maps["airlight"].ravel() - haze.airlight).max() < 1e-3


def test_the_graph_names_its_nodes_so_that_strays_are_known(frame: Frame) -> None:
    shot = Shot(frame.format, frame.width, frame.height)
    model = build_whole(shot, open_network("base", shot, half=False), frame.colour)
    names = [node.name for node in model.graph.node]
    assert all(names)
    assert len(set(names)) == len(names)
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    left = Assigned(conv.name, "Conv", "CPUExecutionProvider")
    assert strays(model.SerializeToString(), [left]) == [left]
