from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import growth
import laws
import numpy as np
import pytest


def test_a_law_is_found_again() -> None:
    x = [0.25, 0.9, 2.1, 8.3, 33.2]
    law = laws.fit(x, [0.5 + 0.4 * one for one in x], lambda at: at, "ms = {a} + {b} x megapixels")
    assert law["law"] == "ms = 0.5 + 0.4 x megapixels"
    assert law["largest_error"] == 0.0


def test_a_law_has_no_negative_cost_and_says_how_far_it_is_off() -> None:
    law = laws.fit([1, 2, 4], [1.0, 2.5, 6.0], lambda at: at, "{a} + {b} x")
    assert law["a"] == 0.0
    assert 0.05 < law["largest_error"] < 0.5
    flat = laws.fit([1, 2, 4], [1.0, 1.1, 1.2], lambda at: 1 / at, "{a} + {b} / n")
    assert flat["b"] == 0.0


def test_the_slower_stage_sets_the_law_of_a_frame() -> None:
    x = [0.25, 1.0, 4.0, 16.0]
    estimate = laws.fit(x, [6 + 0.2 * one for one in x], lambda at: at, "ms = {a} + {b} x megapixels")
    recompose = laws.fit(x, [1 + 2.0 * one for one in x], lambda at: at, "ms = {a} + {b} x megapixels")
    frame = laws.slowest(x, [6.05, 6.2, 9.0, 30.0], [estimate, recompose])
    assert frame["law"] == "ms = max(6 + 0.2 x megapixels, 1 + 2 x megapixels)"
    assert frame["largest_error"] == 0.1
    assert laws.at(frame, np.array(x)) == pytest.approx([6.05, 6.2, 9.0, 33.0])
    assert laws.at(estimate, np.array(x)) == pytest.approx([6.05, 6.2, 6.8, 9.2])


@pytest.mark.slow
def test_growth_measures_fits_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--sizes", "96x64,192x128", "--size", "96x64", "--streams", "1,2", "--every", "1,2"]
    monkeypatch.setattr(sys, "argv", ["growth", *words, "--seconds", "0.05", "--rounds", "1", "--out", str(tmp_path)])
    monkeypatch.setattr(growth, "list_models", lambda: ["cap", "fast"])
    monkeypatch.setattr(growth, "DEFAULT_MODEL", "cap")
    growth.main()
    figures = json.loads((tmp_path / "growth.json").read_text())["figures"]
    assert set(figures) == set(growth.PARTS)
    assert [row["streams"] for row in figures["streams"]["rows"]] == [1, 2]
    assert [row["model"] for row in figures["models"]["rows"]] == ["cap", "fast"]
    for row in figures["sizes"]["rows"]:
        assert row["fps_least"] <= row["fps"] <= row["fps_most"]
        assert 0 <= row["added_mib"] < 500
        assert row["ms_per_frame"] == pytest.approx(1e3 / row["fps"], rel=0.01)
    picture = cv2.imread(str(tmp_path / "growth.png"))
    assert picture is not None
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
