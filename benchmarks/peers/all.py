"""The peers by name."""

from __future__ import annotations

from collections.abc import Iterable

from rtdehaze.core.errors import UsageError
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.estimate import DEFAULT_MODEL
from rtdehaze.stages.estimate.estimator import open_estimator

from . import aodnet, dcp, gunet
from .base import Peer, PictureDehazer, Restore
from .network import runner
from .pixels import SmoothedPixels

__all__ = ["PEERS", "peers_named"]


def _aodnet(cores: int) -> Restore:
    return runner(aodnet.build(trained=True)[0], cores)


def _gunet(cores: int) -> Restore:
    return runner(gunet.build()[0], cores, gunet.MULTIPLE)


def _smoothed_pixels(cores: int) -> SmoothedPixels:
    estimator = open_estimator(DEFAULT_MODEL, provider="cpu", threads=max(1, cores // 4))
    return SmoothedPixels(Dehazer(estimator, mode=Mode.MANUAL, smoothing=0.0))


PEERS = (
    Peer(
        "dcp-full",
        "dark channel prior in OpenCV, 15 x 15, guided filter of radius 60, every step at full size",
        lambda _: PictureDehazer(dcp.restore),
        lambda _: dcp.restore,
    ),
    Peer(
        "aod-net",
        "AOD-Net by ONNX Runtime on all cores given, our training of it (checkpoints/aod.safetensors)",
        lambda cores: PictureDehazer(_aodnet(cores)),
        _aodnet,
    ),
    Peer(
        "gunet-t-like",
        "gUNet-T's architecture by ONNX Runtime on all cores given, random weights: only its time is real",
        lambda cores: PictureDehazer(_gunet(cores)),
        None,
        "random weights",
    ),
    Peer(
        "smoothed-pixels",
        "our default model frame by frame, the pixels of the result averaged over half a second",
        _smoothed_pixels,
        None,
        "videos only",
        film=True,
    ),
)
"""All of them get every core that is given, ours what the pipeline plans for it."""


def peers_named(names: Iterable[str]) -> list[Peer]:
    """Picks peers by their names.

    Raises:
        UsageError: There is none of that name.
    """
    known = {peer.name: peer for peer in PEERS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"no such peer: {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names]
