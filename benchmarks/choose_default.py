"""Which shipped model is the default: fidelity, transmission, gate and time of each, and a sheet to look at.

    python benchmarks/choose_default.py --pairs DIR --photos DIR --sheet sheet.png

PAIRS holds hazy/ and clear/, pictures of the same names, and t/ (16-bit PNG, 65535 = 1) where the truth is known.
PHOTOS are real hazy pictures without truth. The pictures are dehazed at full size with the map enlarged bilinearly,
without gate, smoothing or exposure: what is compared is the estimate. Figures go to
benchmarks/results/choose_default.json.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from results import save

from rtdehaze.core.haze import Haze
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.stages.estimate.models import list_models
from rtdehaze.stages.estimate.thumbnail import thumbnail_of_rgb

PICTURES = (".png", ".jpg", ".jpeg")
RUNS = 201
"""Timed estimates; the median counts."""

CELL = (300, 200)
"""Width and height of a picture in the sheet."""

Picture = NDArray[np.uint8]


def read(path: Path) -> Picture:
    """A picture as RGB; an unreadable one ends the run by name."""
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        raise SystemExit(f"{path} is no readable picture")
    return np.ascontiguousarray(found[..., ::-1], np.uint8)


def pictures(folder: Path) -> list[Path]:
    """The pictures of a folder by name."""
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in PICTURES)
    if not found:
        raise SystemExit(f"no pictures in {folder}")
    return found


def estimate(estimator: Estimator, picture: Picture) -> Haze:
    """The haze of a picture of any size."""
    height, width = picture.shape[:2]
    return estimator.estimate(thumbnail_of_rgb(picture, "rgb", *estimator.thumbnail_size(width, height)))


def dehaze(picture: Picture, haze: Haze) -> Picture:
    """J = (I - A) / t + A at the picture's own size."""
    size = (picture.shape[1], picture.shape[0])
    transmission = cv2.resize(haze.transmission, size, interpolation=cv2.INTER_LINEAR)[..., None]
    clear = (picture.astype(np.float32) / 255 - haze.airlight) / transmission + haze.airlight
    return np.asarray(np.clip(clear * 255 + 0.5, 0, 255), np.uint8)


def psnr(result: Picture, truth: Picture) -> float:
    """Peak signal-to-noise ratio in dB."""
    return float(-10 * np.log10(np.mean((result / 255.0 - truth / 255.0) ** 2) + 1e-12))


def score_pairs(estimator: Estimator, pairs: Path) -> dict[str, Any]:
    """Mean PSNR, mean absolute error of the transmission, and how often the gate is right."""
    fidelity, untouched, errors, hazy_density, clear_density = [], [], [], [], []
    for path in pictures(pairs / "hazy"):
        hazy, clear = read(path), read(pairs / "clear" / path.name)
        haze = estimate(estimator, hazy)
        fidelity.append(psnr(dehaze(hazy, haze), clear))
        untouched.append(psnr(hazy, clear))
        hazy_density.append(haze.density)
        clear_density.append(estimate(estimator, clear).density)
        truth = cv2.imread(str(pairs / "t" / path.with_suffix(".png").name), cv2.IMREAD_UNCHANGED)
        if truth is not None:
            enlarged = cv2.resize(haze.transmission, truth.shape[1::-1], interpolation=cv2.INTER_LINEAR)
            errors.append(float(np.abs(enlarged - truth / 65535.0).mean()))
    scores: dict[str, Any] = {
        "pairs": len(fidelity),
        "psnr_db": round(statistics.fmean(fidelity), 2),
        "psnr_untouched_db": round(statistics.fmean(untouched), 2),
    }
    if errors:
        scores["transmission_error"] = round(statistics.fmean(errors), 3)
    return scores | gate_scores(estimator, np.array(hazy_density), np.array(clear_density))


def gate_scores(estimator: Estimator, hazy: NDArray[Any], clear: NDArray[Any]) -> dict[str, Any]:
    """Shares that the gate's middle tells rightly; nothing for a model without a gate."""
    threshold = middle(estimator)
    if threshold is None:
        return {}
    right_hazy, right_clear = float((hazy > threshold).mean()), float((clear <= threshold).mean())
    return {
        "gate_hazy_right": round(right_hazy, 3),
        "gate_clear_right": round(right_clear, 3),
        "gate_accuracy": round((right_hazy + right_clear) / 2, 3),
    }


def middle(estimator: Estimator) -> float | None:
    """One threshold for single pictures, which have no history for hysteresis."""
    gate = estimator.card.gate
    return None if gate is None else (gate.hazy_above + gate.clear_below) / 2


def milliseconds(estimator: Estimator) -> dict[str, float]:
    """Time of one estimate for 1080p, one thread: median and least of many."""
    width, height = estimator.thumbnail_size(1920, 1080)
    thumbnail = np.random.default_rng(0).uniform(0.3, 0.9, (3, height, width)).astype(np.float32)
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        estimator.estimate(thumbnail)
        taken.append((time.perf_counter() - start) * 1e3)
    return {"ms_median": round(statistics.median(taken), 2), "ms_least": round(min(taken), 2)}


def write_sheet(estimators: list[Estimator], photos: Path, target: Path) -> None:
    """One row a photo: as it is, then dehazed by each model."""
    rows = []
    for path in pictures(photos):
        picture = read(path)
        row = [picture] + [dehaze(picture, estimate(each, picture)) for each in estimators]
        rows.append(np.hstack([cv2.resize(cell, CELL, interpolation=cv2.INTER_AREA) for cell in row]))
    columns = 2 if len(rows) > 20 else 1
    while len(rows) % columns:
        rows.append(np.zeros_like(rows[0]))
    sheet = np.vstack([np.hstack(rows[at : at + columns]) for at in range(0, len(rows), columns)])
    if not cv2.imwrite(str(target), sheet[..., ::-1]):
        raise SystemExit(f"{target} cannot be written")


def main() -> None:
    """Scores all models and writes table, JSON and sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--photos", type=Path, help="real hazy pictures without truth")
    parser.add_argument("--sheet", type=Path, help="where to write the before/after sheet of the photos")
    parser.add_argument("--model", action="append", help="a name or a path, several times; all shipped ones if none")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    estimators = [open_estimator(name, provider="cpu") for name in options.model or list_models()]
    figures = {}
    for estimator in estimators:
        scores = score_pairs(estimator, options.pairs) | milliseconds(estimator)
        threshold = middle(estimator)
        if options.photos and threshold is not None:
            dense = [estimate(estimator, read(path)).density for path in pictures(options.photos)]
            scores["photos_called_hazy"] = round(float((np.array(dense) > threshold).mean()), 3)
        figures[estimator.name] = scores
        print(estimator.name, *(f"{key}={value}" for key, value in scores.items()), sep="  ")
    print("figures:", save("choose_default", figures))
    if options.photos and options.sheet:
        write_sheet(estimators, options.photos, options.sheet)
        print("sheet:", options.sheet)


if __name__ == "__main__":
    main()
