"""Hazy pictures with their truth, written as a folder that `rtdehaze evaluate --pairs` reads."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import OutputExistsError, SinkError, SourceError
from rtdehaze.train.config import Config
from rtdehaze.train.samples import Sample, make_sample
from rtdehaze.train.scenes import Scenes, load_scenes, readable

__all__ = ["write_pairs"]


def write_pairs(config: Config, folder: Path, count: int, *, on_pair: Callable[[int], None] | None = None) -> int:
    """Hazes pictures from all over a configuration's data, each at about its own size, and writes the truth beside.

    The folder then holds `hazy`, `clear`, `t` (16-bit PNG, 65535 is 1) and `meta.json` with `airlight_rgb`. Pairs of
    the configuration's own (`data.pairs`) are passed over: nobody knows their haze.

    Args:
        config: Its data, haze and seed are used; the same ones give the same bytes.
        folder: To be made; it appears when it is complete.
        count: Pairs at most.
        on_pair: Told after each pair how many are done.

    Returns:
        How many pairs were written.

    Raises:
        OutputExistsError: The folder exists.
        SourceError: There is no picture, or none that can be used.
        SinkError: The folder cannot be written.
    """
    if folder.exists():
        raise OutputExistsError(f"{folder} exists; give another name with -o")
    scenes = load_scenes(config.data)
    chosen = np.unique(np.linspace(0, len(scenes) - 1, count).round().astype(int)).tolist()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as hidden:
            made = Path(hidden) / "pairs"
            for part in ("hazy", "clear", "t"):
                (made / part).mkdir(parents=True)
            airlights: dict[str, dict[str, list[float]]] = {}
            for sample in _samples(scenes, chosen, config):
                name = f"{len(airlights):04d}"
                _write(made, name, sample)
                airlights[name] = {"airlight_rgb": [round(float(part), 4) for part in sample.airlight]}
                if on_pair is not None:
                    on_pair(len(airlights))
            if not airlights:
                raise SourceError("none of the configuration's pictures can be given a haze that is known")
            (made / "meta.json").write_text(json.dumps(airlights, indent=1), encoding="utf-8")
            made.rename(folder)
    except OSError as error:
        raise SinkError(f"{folder} cannot be written: {error.strerror or error}") from error
    return len(airlights)


def _samples(scenes: Scenes, chosen: Iterable[int], config: Config) -> Iterator[Sample]:
    """A sample of each of these scenes that can be used; the others are named."""
    for number, scene in readable(scenes, chosen):
        rows, columns = (side - side % 2 for side in scene.clear.shape[:2])
        rng = np.random.default_rng((config.seed, number, 17))
        if scene.hazy is None:
            yield make_sample(scene, (rows, columns), rng, config.weather(rng))


def _write(folder: Path, name: str, sample: Sample) -> None:
    levels = np.round(sample.transmission * 65535).astype(np.uint16)
    parts: dict[str, NDArray[Any]] = {"hazy": sample.hazy[..., ::-1], "clear": sample.clear[..., ::-1], "t": levels}
    for part, picture in parts.items():
        (folder / part / f"{name}.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
