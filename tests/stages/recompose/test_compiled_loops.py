from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtdehaze.stages.recompose import rows
from rtdehaze.stages.recompose.fields import axis
from rtdehaze.stages.recompose.vectors import MARGIN


def loop(values: np.ndarray) -> float:
    return values[0] + 1.0


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))


def misses(number: np.ndarray) -> int:
    """Compiles, or loads, and says how often nothing was found on disk."""
    compiled: Any = rows.compiled(loop)
    assert compiled(number) == 2.0
    return sum(compiled.stats.cache_misses.values())


@pytest.mark.usefixtures("fresh_cache")
def test_a_loop_is_compiled_anew_when_any_source_of_the_package_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    number = np.ones(1, np.float32)
    assert misses(number) == 1
    assert misses(number) == 0
    monkeypatch.setattr(rows, "_sources", lambda: "another version")
    assert misses(number) == 1


@pytest.mark.usefixtures("fresh_cache")
def test_compiling_is_announced_once(caplog: pytest.LogCaptureFixture) -> None:
    rows._say_compiling.cache_clear()
    with caplog.at_level(logging.INFO, "rtdehaze.recompose"):
        misses(np.ones(1, np.float32))
        misses(np.ones(1, np.float64))
    assert [record.message for record in caplog.records] == ["compiling the loops, once on this machine"]


@pytest.mark.parametrize(("width", "map_width"), [(1920, 256), (3840, 256), (641, 256), (40, 40), (7, 3), (1, 1)])
def test_a_map_row_is_enlarged_as_its_weights_say(width: int, map_width: int) -> None:
    fields = np.random.default_rng(0).random((2, 3, map_width)).astype(np.float32)
    across = axis(width, width, 1, map_width)
    held = np.zeros((3, 2, width + MARGIN), np.float32)
    rows.move_to(fields, 1, 2, -1, across, held)
    wide = fields[..., across.before] * (1 - across.weight) + fields[..., across.after] * across.weight
    np.testing.assert_allclose(held[1, :, :width], wide[:, 1], atol=2e-6)
    np.testing.assert_allclose(held[2, :, :width], wide[:, 2] - wide[:, 1], atol=2e-6)
