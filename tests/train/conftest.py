from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

# The learning loop needs the extra [train]; without it there is nothing to test.
collect_ignore_glob = [] if all(find_spec(name) for name in ("torch", "safetensors", "onnx")) else ["test_*.py"]


def picture(seed: int, height: int = 72, width: int = 96) -> np.ndarray:
    """A picture with a sky, a ground and boxes in it, BGR."""
    rng = np.random.default_rng(seed)
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2] = rng.integers(150, 255, 3)
    image[height // 2 :] = rng.integers(20, 120, 3)
    for _ in range(8):
        x, y = int(rng.integers(width - 12)), int(rng.integers(height - 12))
        image[y : y + 12, x : x + 12] = rng.integers(0, 255, 3)
    return cv2.GaussianBlur(image, (3, 3), 0)


def disparity(height: int = 72, width: int = 96) -> np.ndarray:
    ramp = np.clip(np.linspace(-0.5, 1.0, height), 0.0, 1.0)
    return np.repeat((ramp * 255).astype(np.uint8)[:, None], width, 1)


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training pack of six pictures of two sets."""
    folder = tmp_path_factory.mktemp("pack")
    for part in ("rgb", "disp"):
        (folder / part).mkdir()
    with (folder / "index.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "set", "terms"])
        for i in range(6):
            rows.writerow([f"p{i}", "boxes" if i % 2 else "more", "made here"])
            cv2.imwrite(str(folder / "rgb" / f"p{i}.jpg"), picture(i), [cv2.IMWRITE_JPEG_QUALITY, 95])
            cv2.imwrite(str(folder / "disp" / f"p{i}.png"), disparity(36, 48))
    return folder


@pytest.fixture(scope="session")
def validation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hazy pairs with known transmission and airlight."""
    folder = tmp_path_factory.mktemp("val")
    for part in ("hazy", "clear", "t"):
        (folder / part).mkdir()
    for name, t in (("a", 0.4), ("b", 0.6)):
        clear = picture(ord(name))
        cv2.imwrite(str(folder / "clear" / f"{name}.png"), clear)
        cv2.imwrite(str(folder / "hazy" / f"{name}.png"), np.round(clear * t + 204 * (1 - t)).astype(np.uint8))
        cv2.imwrite(str(folder / "t" / f"{name}.png"), np.full(clear.shape[:2], round(65535 * t), np.uint16))
    (folder / "meta.json").write_text(
        '{"a": {"airlight_rgb": [0.8, 0.8, 0.8]}, "b": {"airlight_rgb": [0.8, 0.8, 0.8]}}'
    )
    return folder


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate and an importance found on few samples."""
    monkeypatch.setattr("rtdehaze.train.gate.GATE_SAMPLES", 4)
    monkeypatch.setattr("rtdehaze.train.prune.BATCHES", 2)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a network larger than tiny."""
    from tests.train.simplifying import write_large  # needs PyTorch

    return write_large(tmp_path_factory.mktemp("large"))
