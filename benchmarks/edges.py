"""Ways to enlarge a small transmission map, at depth edges and away from them: PSNR of the restored picture and time.

    python benchmarks/edges.py --sizes 1920x1080,3840x2160 --seeds 0,1

The true transmission and the hazy picture are averaged down to the map's size; each way enlarges the map, and the
haze is removed with it. "edge" is within 16 px of a depth edge, "far" the rest, "texture" a scene without any depth
edge: strong texture whose transmission changes slowly. Pixels that several surfaces share are left out: no single
transmission restores them. Input is rounded to 8 bits, with noise where stated. "kernel" is the shipped one, all of
it (dither and clipping included); its time, and that of the same kernel without a guide (bilinear), is of a whole
4:2:0 frame, the others' that of enlarging alone with OpenCV and NumPy, all on one thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from arguments import any_number, listed, pixels_word, run_script, whole
from numpy.typing import NDArray
from results import add_out, save, settings_of

from rtdehaze.core.colour import Colour, Matrix, luma_weights
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Plane
from rtdehaze.core.haze import Removal
from rtdehaze.measure.fidelity import band_around_edges, psnr
from rtdehaze.stages.recompose.edges import edge_slopes
from rtdehaze.stages.recompose.recomposer import Recomposer
from rtdehaze.synth.edges import poles_and_branches
from rtdehaze.synth.noise import smooth_field, tiled_noise

Array = NDArray[np.float32]
Way = Callable[[Array, Array, Array, Array], Array]
"""(transmission map, guide's luma map, picture's luma, airlight's luma) -> transmission at the picture's size."""

_WEIGHTS = luma_weights(Matrix.BT709).astype(np.float32)
_LEAST = 0.05


@dataclass(frozen=True)
class Scene:
    """A hazy picture in 8 bits and its truth."""

    hazy: NDArray[np.uint8]
    clear: Array
    transmission: Array
    airlight: Array
    judged: dict[str, NDArray[np.bool_]]


def edge_scene(width: int, height: int, seed: int, noise: float) -> Scene:
    """Poles and branches against the sky."""
    made = poles_and_branches(width, height, seed)
    near = band_around_edges(made.transmission, 16)
    judged = {"edge": near & ~made.mixed, "far": ~near & ~made.mixed, "all": ~made.mixed}
    hazy = _as_seen(made.hazy_float, noise, seed)
    return Scene(hazy, made.clear_float, made.transmission, made.airlight, judged)


def texture_scene(width: int, height: int, seed: int, noise: float) -> Scene:
    """Strong texture everywhere, transmission without an edge."""
    rng = np.random.default_rng(seed)
    grain = tiled_noise(rng, height, width, 1.0)
    clear = np.clip(0.4 + 0.15 * grain[..., None] + np.array([0.05, 0.0, -0.05]), 0, 1).astype(np.float32)
    transmission = np.clip(0.45 + 0.3 * smooth_field(rng, height, width), 0.15, 0.9).astype(np.float32)
    airlight = np.array([0.80, 0.82, 0.84], np.float32)
    hazy = (clear - airlight) * transmission[..., None] + airlight
    everywhere = np.ones((height, width), np.bool_)
    return Scene(_as_seen(hazy, noise, seed), clear, transmission, airlight, {"texture": everywhere})


def _as_seen(hazy: Array, noise: float, seed: int) -> NDArray[np.uint8]:
    grain = np.random.default_rng([seed, 1]).standard_normal(hazy.shape).astype(np.float32)
    return np.clip(np.rint(hazy * 255 + noise * grain), 0, 255).astype(np.uint8)


def _enlarge(values: Array, like: Array) -> Array:
    return cv2.resize(values, like.shape[::-1], interpolation=cv2.INTER_LINEAR)


def bilinear(t: Array, _guide: Array, luma: Array, _airlight: Array) -> Array:
    """Transmission itself."""
    return _enlarge(t, luma)


def of_gain(t: Array, _guide: Array, luma: Array, _airlight: Array) -> Array:
    """The gain 1 / t."""
    return 1.0 / _enlarge(1.0 / t, luma)


def joint_bilateral(reach: int, damping: float) -> Way:
    """Joint bilateral upsampling (Kopf et al. 2007) over 2 x reach samples a side, weights 1 / (damping + dY^2)."""

    def way(t: Array, guide: Array, luma: Array, _airlight: Array) -> Array:
        (height, width), (rows, columns) = luma.shape, t.shape
        ys = np.clip((np.arange(height) + 0.5) * rows / height - 0.5, 0, rows - 1)
        xs = np.clip((np.arange(width) + 0.5) * columns / width - 0.5, 0, columns - 1)
        y0, x0 = np.floor(ys).astype(int), np.floor(xs).astype(int)
        total, weights = np.zeros_like(luma), np.zeros_like(luma)
        for j in range(1 - reach, reach + 1):
            for i in range(1 - reach, reach + 1):
                near_y = np.maximum(0, 1 - abs(ys - y0 - j) / reach)
                near_x = np.maximum(0, 1 - abs(xs - x0 - i) / reach)
                at = np.ix_(np.clip(y0 + j, 0, rows - 1), np.clip(x0 + i, 0, columns - 1))
                near = (np.outer(near_y, near_x) + 1e-6).astype(np.float32)
                weight = near / (damping + np.square(luma - guide[at]))
                total += weight * t[at]
                weights += weight
        return total / weights

    return way


def guided(damping: float) -> Way:
    """Coefficients of the fast guided filter (He, Sun 2015), 3 x 3 windows, enlarged."""

    def way(t: Array, guide: Array, luma: Array, _airlight: Array) -> Array:
        mean = lambda values: cv2.blur(values, (3, 3), borderType=cv2.BORDER_REPLICATE)  # noqa: E731
        of_y, of_t = mean(guide), mean(t)
        a = (mean(guide * t) - of_y * of_t) / (mean(guide * guide) - of_y * of_y + damping)
        b = of_t - a * of_y
        return _enlarge(mean(a), luma) * luma + _enlarge(mean(b), luma)

    return way


def bilateral_grid(t: Array, guide: Array, luma: Array, _airlight: Array) -> Array:
    """A bilateral grid (Chen, Paris, Durand 2007): half the map a side, 16 bins of luma, sliced trilinearly."""
    rows, columns, bins = -(-t.shape[0] // 2), -(-t.shape[1] // 2), 16
    grid = np.zeros((2, bins + 1, rows, columns), np.float32)
    y, x = np.indices(t.shape) // 2
    level = np.rint(guide * bins).astype(int)
    np.add.at(grid[0], (level, y, x), t)
    np.add.at(grid[1], (level, y, x), 1.0)
    for part in grid:
        for bin_map in part:
            cv2.GaussianBlur(bin_map, (3, 3), 0.7, dst=bin_map)
        part[1:-1] = 0.25 * part[:-2] + 0.5 * part[1:-1] + 0.25 * part[2:]
    wide = np.array([[_enlarge(bin_map, luma) for bin_map in part] for part in grid])
    at = np.clip(luma, 0, 1) * bins
    low = np.minimum(at.astype(int), bins - 1)[None]
    share = at - low[0]
    between = [
        (1 - share) * np.take_along_axis(p, low, 0)[0] + share * np.take_along_axis(p, low + 1, 0)[0] for p in wide
    ]
    return np.where(between[1] > 1e-3, between[0] / np.maximum(between[1], 1e-3), _enlarge(t, luma))


def slopes(t: Array, guide: Array, luma: Array, airlight: Array) -> Array:
    """The map kept, moved by the local linear fit: what the kernel does, in floating point."""
    slope, _ = edge_slopes(t, airlight * (1 - t), guide, luma.size)
    moved = _enlarge(t, luma) + _enlarge(slope, luma) * (luma - _enlarge(guide, luma))
    return np.clip(moved, t.min(), t.max())


WAYS: dict[str, Way] = {
    "bilinear t": bilinear,
    "bilinear gain": of_gain,
    "joint bilateral 2x2": joint_bilateral(1, 4e-4),
    "joint bilateral 4x4": joint_bilateral(2, 1e-3),
    "guided coefficients 1e-3": guided(1e-3),
    "guided coefficients 1e-4": guided(1e-4),
    "bilateral grid": bilateral_grid,
    "map and slopes": slopes,
}


def restore(scene: Scene, map_width: int, recomposer: Recomposer) -> dict[str, tuple[Array, float]]:
    """Every way's restored picture, clipped to [0, 1], and milliseconds; none for the truth and the kernel."""
    height, width = scene.transmission.shape
    size = (map_width, round(map_width * height / width))
    picture = scene.hazy.astype(np.float32) / 255
    guide = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(scene.transmission, size, interpolation=cv2.INTER_AREA)
    luma, guide_luma, airlight_luma = picture @ _WEIGHTS, guide @ _WEIGHTS, scene.airlight @ _WEIGHTS
    found = {}
    for name, way in WAYS.items():
        start = time.perf_counter()
        t = way(small, guide_luma, luma, airlight_luma)
        spent = (time.perf_counter() - start) * 1e3
        found[name] = _solve(picture, np.maximum(t, _LEAST), scene.airlight), spent
    veil = (scene.airlight * (1 - small[..., None])).transpose(2, 0, 1)
    for name, given in (("kernel", np.ascontiguousarray(guide.transpose(2, 0, 1))), ("kernel without guide", None)):
        removal = Removal(small, small, np.ascontiguousarray(veil), given)
        clear = recomposer.apply_rgb(scene.hazy, removal).astype(np.float32) / 255
        found[name] = clear, frame_time(recomposer, removal, width, height)
    found["true t"] = _solve(picture, scene.transmission, scene.airlight), 0.0
    return found


def _solve(picture: Array, t: Array, airlight: Array) -> Array:
    return np.clip((picture - airlight) / t[..., None] + airlight, 0, 1).astype(np.float32)


def frame_time(recomposer: Recomposer, removal: Removal, width: int, height: int) -> float:
    """Milliseconds of processor time of the kernel for a whole 4:2:0 frame; the least of seven."""
    pixels = PIXEL_FORMATS["yuv420p"]
    sizes = (width, height), pixels.chroma_size(width, height), pixels.chroma_size(width, height)
    rng = np.random.default_rng(0)

    def frame() -> Frame:
        planes = tuple(Plane(rng.integers(60, 200, (h, w), np.uint8), w) for w, h in sizes)
        return Frame(planes, pixels, width, height, Colour(), 0, Fraction(1, 25))

    source, target, spent = frame(), frame(), []
    for _ in range(7):
        start = time.thread_time()
        recomposer.apply(source, removal, target)
        spent.append(time.thread_time() - start)
    return min(spent) * 1e3


def measure(size: str, map_width: int, noise: float, seeds: list[int]) -> list[dict[str, Any]]:
    """One table: rows are the ways."""
    width, height = map(int, size.split("x"))
    rows: dict[str, dict[str, list[float]]] = {}
    with Recomposer() as recomposer:
        for seed in seeds:
            for scene in (edge_scene(width, height, seed, noise), texture_scene(width, height, seed, noise)):
                for name, (clear, spent) in restore(scene, map_width, recomposer).items():
                    row = rows.setdefault(name, {})
                    row.setdefault("ms", []).append(spent)
                    for where, mask in scene.judged.items():
                        row.setdefault(where, []).append(psnr(clear, scene.clear, mask))
    print(f"\n{size}, map {map_width} wide, noise {noise:g} levels")
    print(f"{'':26}{'edge':>8}{'far':>8}{'all':>8}{'texture':>9}{'ms':>9}")
    table = []
    for name, row in rows.items():
        means = {column: round(statistics.fmean(values), 2) for column, values in row.items() if column != "ms"}
        means["ms"] = round(min(row["ms"]), 2)
        print(
            f"{name:26}{means['edge']:8.2f}{means['far']:8.2f}{means['all']:8.2f}{means['texture']:9.2f}{means['ms']:9.2f}"
        )
        table.append({"way": name, **means})
    return table


def main() -> None:
    """Measures, prints and saves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=listed(pixels_word), default="1920x1080,3840x2160")
    parser.add_argument("--maps", type=listed(whole(8)), default="256,512", help="widths of the map")
    parser.add_argument("--noise", type=listed(any_number(0)), default="0,2", help="levels of 8 bits")
    parser.add_argument("--seeds", type=listed(whole(0)), default="0,1")
    add_out(parser)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    figures = [
        {"size": size, "map": map_width, "noise": noise, "ways": measure(size, map_width, noise, options.seeds)}
        for size in options.sizes
        for map_width in options.maps
        for noise in options.noise
    ]
    print(save("edges", figures, options.out, settings_of(options)))


if __name__ == "__main__":
    run_script(main)
