"""Contact sheets: what the network will see, and what it makes of pictures that it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import SinkError
from rtdehaze.measure.fidelity import psnr
from rtdehaze.train.aodnet import AODNet
from rtdehaze.train.config import Config
from rtdehaze.train.data import Samples
from rtdehaze.train.networks import Estimator
from rtdehaze.train.samples import Sample
from rtdehaze.train.scenes import Scene
from rtdehaze.train.validate import Pair, restore

__all__ = ["TILE", "preview", "restored", "write_sheet"]

Bytes = NDArray[np.uint8]

TILE = (144, 192)
"""(height, width) of a picture on a sheet."""
GAP = 4
"""Pixels between the pictures of one tile."""
CAPTION = 36
"""Pixels below a tile for its caption of two lines."""
HEAD = 64
"""Pixels above all tiles for the title and the scale."""
DPI = 100
COLOURS = "viridis"
"""Of transmission: dark where little light arrives, and as even to the eye as its numbers are."""


def preview(scenes: Sequence[Scene], config: Config, rows: int = 8, columns: int = 3) -> Bytes:
    """The first samples of a run: what the network will see, clear picture, transmission, and what was drawn for them.

    Returns:
        (H, W, 3) RGB.

    Raises:
        SourceError: Nothing in the data can be read.
    """
    samples = Samples(scenes, config)
    tiles, captions = [], []
    for number in range(rows * columns):
        sample = samples[number, *TILE]
        samples.note(sample.left_out)
        tiles.append([sample.hazy, sample.clear, _coloured(sample.transmission)])
        captions.append(f"{number}: {_haze_of(sample)}\n{_camera_of(sample)}")
    title = f"what the network will see | clear | transmission    (seed {config.seed}, {len(scenes)} pictures)"
    return _sheet(tiles, captions, columns, title)


def restored(model: Estimator | AODNet, pairs: list[Pair], columns: int = 2) -> Bytes:
    """For each pair the hazy picture, the restored one, the truth and, of an estimator, its transmission.

    Beside that stands the true transmission where it is known.

    Args:
        model: In evaluation mode.
        pairs: What to show.
        columns: Pairs beside each other.

    Returns:
        (H, W, 3) RGB.
    """
    tiles, captions = [], []
    with_maps = not isinstance(model, AODNet)
    with_truth = with_maps and any(pair.transmission is not None for pair in pairs)
    for pair in pairs:
        picture, estimate = restore(model, pair.hazy)
        after = np.round(picture * 255).astype(np.uint8)
        tile: list[Bytes] = [pair.hazy, after, pair.clear]
        caption = f"{pair.name}: {psnr(pair.hazy, pair.clear):.1f} dB, restored {psnr(after, pair.clear):.1f} dB"
        if estimate is not None:
            said = estimate.transmission[0, 0].cpu().numpy()
            tile.append(_coloured(said))
            red, green, blue = estimate.airlight[0].tolist()
            caption += f"\nmedian t {np.median(said):.2f}, A {red:.2f} {green:.2f} {blue:.2f}"
            caption += f", density {float(estimate.density[0]):.2f}"
            if pair.transmission is not None:
                caption += f"; true median t {np.median(pair.transmission):.2f}"
        if with_truth:
            tile.append(np.zeros((*TILE, 3), np.uint8) if pair.transmission is None else _coloured(pair.transmission))
        tiles.append(tile)
        captions.append(caption)
    shown = (
        "hazy | restored | truth" + (" | transmission said" if with_maps else "") + (" | true" if with_truth else "")
    )
    return _sheet(tiles, captions, columns, shown)


def write_sheet(path: Path, sheet: Bytes) -> None:
    """Writes a sheet as a PNG.

    Raises:
        SinkError: It cannot be written.
    """
    try:
        path.write_bytes(cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())
    except OSError as error:
        raise SinkError(f"sheet {path} cannot be written: {error.strerror}") from error


def _haze_of(sample: Sample) -> str:
    if not sample.known:
        return "haze that came with the picture"
    if not sample.is_hazy:
        return "clear"
    red, green, blue = sample.airlight.tolist()
    how = ", uneven" if "uneven" in sample.drawn else ""
    ratio = sample.drawn["far:near"]
    return (
        f"median t {np.median(sample.transmission):.2f}, A {red:.2f} {green:.2f} {blue:.2f}, far:near {ratio:.0f}{how}"
    )


def _camera_of(sample: Sample) -> str:
    words = {"exposure": "light x {:.2f}", "noise": "noise {:.3f}", "jpeg": "JPEG {:.0f}", "h264": "H.264 crf {:.0f}"}
    told = [text.format(sample.drawn[key]) for key, text in words.items() if key in sample.drawn]
    return ", ".join(told) or "as it is"


def _coloured(transmission: NDArray[np.float32]) -> Bytes:
    from matplotlib import colormaps

    return np.asarray(colormaps[COLOURS](np.clip(transmission, 0.0, 1.0), bytes=True)[..., :3], np.uint8)


def _sheet(tiles: list[list[Bytes]], captions: list[str], columns: int, title: str) -> Bytes:
    """Tiles in a grid, each with its caption; the title and the scale of transmission above all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = [np.concatenate([_spaced(part) for part in tile], axis=1) for tile in tiles]
    high, wide = TILE[0] + CAPTION, max(line.shape[1] for line in lines) + GAP
    rows = -(-len(lines) // columns)
    width, height = columns * wide, rows * high + HEAD
    sheet = np.full((height, width, 3), 255, np.uint8)
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    canvas: Any = FigureCanvasAgg(figure)
    for i, (line, caption) in enumerate(zip(lines, captions, strict=True)):
        top, left = HEAD + i // columns * high, i % columns * wide
        sheet[top : top + TILE[0], left : left + line.shape[1]] = line
        figure.text(
            (left + 2) / width, 1 - (top + TILE[0] + 3) / height, caption, fontsize=7.5, va="top", linespacing=1.15
        )
    figure.figimage(sheet, zorder=-1)
    figure.text(8 / width, 1 - 20 / height, title, fontsize=10, va="center", weight="bold")
    _draw_scale(figure, width, height)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba(), np.uint8)[..., :3])


def _draw_scale(figure: Any, width: int, height: int) -> None:
    """A bar that says which colour is which transmission."""
    scale = figure.add_axes((8 / width, 1 - 44 / height, 260 / width, 10 / height))
    scale.imshow(np.linspace(0.0, 1.0, 256)[None], aspect="auto", cmap=COLOURS, extent=(0.0, 1.0, 0.0, 1.0))
    scale.set_yticks([])
    scale.tick_params(labelsize=7, length=2, pad=1)
    text = "transmission: the share of the light that arrives; 0 nothing but haze, 1 clear"
    figure.text(280 / width, 1 - 39 / height, text, fontsize=7.5, va="center")


def _spaced(picture: Bytes) -> Bytes:
    """The picture within a tile, its shape kept, on white, with a gap to the right."""
    scale = min(TILE[0] / picture.shape[0], TILE[1] / picture.shape[1])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    tile = np.full((TILE[0], TILE[1] + GAP, 3), 255, np.uint8)
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    left, top = (TILE[1] - size[0]) // 2, (TILE[0] - size[1]) // 2
    tile[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=how)
    return tile
