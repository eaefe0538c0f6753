from __future__ import annotations

import cv2
import numpy as np
import pytest
from peers import aodnet, dcp, gunet
from peers.all import PEERS, peers_named
from peers.base import PictureDehazer
from peers.network import runner
from peers.pixels import SmoothedPixels

from rtdehaze.apps.drive import drive_frames
from rtdehaze.apps.frames import empty_frame, rgb_of
from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.measure.fidelity import psnr
from rtdehaze.pipeline.decision import Decision
from rtdehaze.synth.drive import FoggyDrive


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return drive_frames(width=160, height=96, count=3, noise=0.005)


def dehazed(dehazer: PictureDehazer, frame: Frame) -> np.ndarray:
    out = empty_frame(frame)
    dehazer.apply(frame, dehazer.decide(frame), out)
    return rgb_of(out)


def test_a_peer_that_does_nothing_leaves_frames_as_they_were(frames: list[Frame]) -> None:
    same = dehazed(PictureDehazer(lambda picture: picture), frames[0])
    assert psnr(same, rgb_of(frames[0])) > 35  # OpenCV takes chroma from RGB by dropping, not by averaging


@pytest.mark.parametrize(
    "peer", [peer for peer in PEERS if peer.name in ("dcp-full", "aod-net")], ids=lambda peer: peer.name
)
def test_methods_that_remove_haze_bring_the_picture_nearer_to_the_truth(peer: object) -> None:
    shot = FoggyDrive(320, 180, 25.0, 0.1, 3, median_transmission=0.5).frame(0)
    restored = peer.restore(1)(shot.hazy)  # type: ignore[attr-defined]
    assert psnr(restored, shot.clear) > psnr(shot.hazy, shot.clear)


def test_the_dark_channel_prior_finds_uniform_haze() -> None:
    scene = FoggyDrive(320, 180, 25.0, 0.1, 3).frame(0).clear
    hazy = (scene * 0.5 + 0.5 * 230).astype(np.uint8)
    assert psnr(dcp.restore(hazy), scene) > psnr(hazy, scene) + 3


def convolved(picture: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """(H, W, in) -> (H, W, out), padded by zeros."""
    planes = [
        sum(cv2.filter2D(picture[..., i], -1, kernel[i], borderType=cv2.BORDER_CONSTANT) for i in range(len(kernel)))
        for kernel in weight
    ]
    return np.maximum(np.stack(planes, 2) + bias, 0)


def test_aod_net_is_the_papers_figure_3_with_our_weights() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)
    hazy = picture.astype(np.float32) / 255
    (w1, b1), (w2, b2), (w3, b3), (w4, b4), (w5, b5) = aodnet._weights()
    x1 = convolved(hazy, w1, b1)
    x2 = convolved(x1, w2, b2)
    x3 = convolved(np.dstack([x1, x2]), w3, b3)
    x4 = convolved(np.dstack([x2, x3]), w4, b4)
    k = convolved(np.dstack([x1, x2, x3, x4]), w5, b5)
    wanted = np.clip(k * hazy - k + 1, 0, 1) * 255
    found = runner(aodnet.build(trained=True)[0], 1)(picture)
    assert np.abs(found - wanted).max() <= 0.51


def test_aod_net_has_its_published_size() -> None:
    assert aodnet.build(trained=False)[1].parameters == 1761


def test_the_gunet_is_of_the_published_order_and_takes_any_size() -> None:
    model, counts = gunet.build()
    assert counts.parameters == pytest.approx(0.82e6, rel=0.05)
    assert counts.macs_per_pixel * 256 * 256 == pytest.approx(2.67e9, rel=0.05)
    picture = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    restored = runner(model, 1, gunet.MULTIPLE)(picture)
    assert restored.shape == picture.shape
    assert psnr(restored, picture) > 10  # random weights, but of a size that does not blow up


def test_smoothed_pixels_are_a_running_mean_with_ghosts(frames: list[Frame]) -> None:
    class Copy:
        def decide(self, frame: Frame) -> Decision:
            return Decision(None, None)

        def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
            for written, plane in zip(out.planes, frame.planes, strict=True):
                written.samples[:] = plane.samples

    smoothed = SmoothedPixels(Copy(), seconds=0.5)
    out = empty_frame(frames[0])
    mean = None
    for frame in frames:
        smoothed.apply(frame, smoothed.decide(frame), out)
        plane = frame.planes[0].samples.astype(float)
        mean = plane if mean is None else mean + (1 - np.exp(-0.04 / 0.5)) * (plane - mean)
    assert np.abs(out.planes[0].samples - mean).max() < 0.52


def test_an_unknown_peer_is_named() -> None:
    with pytest.raises(UsageError, match=r"magic.*aod-net"):
        peers_named(["aod-net", "magic"])
