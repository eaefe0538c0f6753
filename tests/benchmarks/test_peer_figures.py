from __future__ import annotations

import json
import sys
from pathlib import Path

import compare_peers
import cv2
import labels
import limits
import numpy as np
import pytest
import tradeoff
import tradeoff_plot
from labels import overlap
from matplotlib.text import Text
from peers.base import PictureDehazer

from rtdehaze.apps.bench.running import Run
from rtdehaze.core.frame import Frame
from rtdehaze.pipeline.decision import Decision


def run(fps: float) -> Run:
    return Run(frames=100, seconds=100 / fps, cpu_seconds=1.0, stages=STAGES, rss_mib=1.0)


class _Times:
    total_s = 0.5


STAGES = {"estimate": _Times(), "recompose": _Times()}


def test_ratios_of_peers_are_of_the_same_round() -> None:
    # The machine was twice as slow in the second round; the ratio of medians would say 3.
    runs = {"rtdehaze base": [run(100), run(50), run(100)], "aod-net": [run(10), run(5), run(20)]}
    ours, peer = compare_peers.figures(runs)
    assert ours["ours_over_it"] == 1.0
    assert peer["ours_over_it_runs"] == [10.0, 10.0, 5.0]
    assert peer["ours_over_it"] == 10.0
    assert (peer["ours_over_it_least"], peer["ours_over_it_most"]) == (5.0, 10.0)
    assert (peer["fps"], peer["fps_least"], peer["fps_most"]) == (10.0, 5.0, 20.0)
    assert peer["ms_per_frame"] == 10.0


def test_figures_of_a_codec_are_saved_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--size", "96x64", "--models", "cap", "--peers", "dcp-full", "--codecs", "none,libx264:ultrafast"]
    monkeypatch.setattr(sys, "argv", ["compare_peers", *words, "--out", str(tmp_path)])
    answers = [{"rtdehaze cap": [run(10)]}]
    monkeypatch.setattr(compare_peers, "take_turns", lambda *_: answers.pop())
    with pytest.raises(IndexError):  # the second codec's
        compare_peers.main()
    figures = json.loads((tmp_path / "peers.json").read_text())["figures"]
    assert figures["none"][0]["fps"] == 10


@pytest.mark.slow
def test_peers_take_turns_without_codecs_and_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--size", "96x64", "--models", "cap", "--peers", "dcp-full,aod-net", "--seconds", "0.05", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", ["compare_peers", *words, "--out", str(tmp_path)])
    compare_peers.main()
    figures = json.loads((tmp_path / "peers.json").read_text())["figures"]
    for codec in ("none", "libx264:ultrafast"):
        assert [row["method"] for row in figures[codec]] == ["rtdehaze cap", "dcp-full", "aod-net", "without"]
        assert all(row["fps"] > 0 for row in figures[codec])


TIMES = {
    "rtdehaze base": 7.22, "rtdehaze base-open": 7.39, "rtdehaze cap": 6.64, "rtdehaze dcp": 6.72,
    "rtdehaze fast": 7.18, "dcp-full": 224.7, "aod-net": 445.8, "gunet-t-like": 2000.0, "smoothed-pixels": 9.26,
    "without": 0.31,
}  # fmt: skip
CROWDED = {
    "untouched": 13.68, "rtdehaze base": 19.23, "rtdehaze base-open": 17.19, "rtdehaze cap": 17.12,
    "rtdehaze dcp": 17.38, "rtdehaze fast": 17.18, "dcp-full": 17.01, "aod-net": 16.06,
}  # fmt: skip


def test_the_tradeoff_is_one_picture_with_all_that_have_quality(tmp_path: Path) -> None:
    domains = {"generated drives": CROWDED | {"smoothed-pixels": 19.0}, "outdoor": CROWDED}
    # Apart, so that dots can be counted.
    times = {name: 2.0 * ms**number for number, (name, ms) in enumerate(TIMES.items(), 1)} | {"without": 0.1}
    tradeoff_plot.plot(times, domains, "1080p", {"gunet-t-like": "random weights"}, tmp_path / "tradeoff.png")
    picture = cv2.imread(str(tmp_path / "tradeoff.png"))
    assert picture is not None
    for kind, dots in (("ours", 5 + 5), ("peer", 3 + 2)):
        red, green, blue = (int(tradeoff_plot.COLOURS[kind][i : i + 2], 16) for i in (1, 3, 5))
        found = cv2.inRange(picture, (blue - 4, green - 4, red - 4), (blue + 4, green + 4, red + 4))
        count = cv2.connectedComponents(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)))[0] - 1
        assert count == dots + 1  # and in the legend once


def test_names_cover_neither_dots_nor_each_other() -> None:
    figure = tradeoff_plot.draw(TIMES, {"drives": CROWDED, "outdoor": CROWDED}, "1080p", {"gunet-t-like": "random"})
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        # Of the text alone: a line to its dot may cross what it must.
        boxes = [Text.get_window_extent(one, renderer).extents for one in axes.texts if one.get_gid() == "name"]
        assert len(boxes) == 7
        frame = axes.get_window_extent(renderer).extents
        dots = [
            (x - 7.4, y - 7.4, x + 7.4, y + 7.4)
            for name in CROWDED.keys() & TIMES.keys()
            for x, y in [axes.transData.transform((TIMES[name], CROWDED[name]))]
        ]
        for number, box in enumerate(boxes):
            assert overlap(box, frame) == pytest.approx((box[2] - box[0]) * (box[3] - box[1]))
            assert not [other for other in (*dots, *boxes[:number]) if overlap(box, other) > 0]
    assert "gunet-t-like (random)" in figure._supxlabel.get_text()


def test_a_name_goes_where_nothing_is() -> None:
    size, bounds = (40.0, 10.0), (0.0, 0.0, 200.0, 200.0)
    assert labels.place([(100, 100)], [size], bounds, radius=5) == [(109.0, 95.0, 149.0, 105.0)]
    # At the right border it stands on the left; between two others above or below.
    assert labels.place([(190, 100)], [size], bounds, radius=5) == [(141.0, 95.0, 181.0, 105.0)]
    middle = labels.place([(100, 100)], [size], bounds, radius=5, taken=[(0, 90, 98, 110), (102, 90, 200, 110)])
    assert middle[0][1] >= 105 or middle[0][3] <= 95


def test_a_method_for_videos_is_judged_at_the_moments_of_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tradeoff, "_SIZE", (96, 64))
    monkeypatch.setattr(tradeoff, "_FOGS", (0.4, 0.6))
    untouched = tradeoff.quality(tradeoff.drives, {})["untouched"]
    seen: list[int] = []

    class Copy(PictureDehazer):
        def decide(self, frame: Frame) -> Decision:
            seen.append(frame.pts)
            return super().decide(frame)

    score = tradeoff.film_quality(Copy(lambda picture: picture) for _ in range(2))
    assert seen == [*range(13)] * 2
    assert score == pytest.approx(untouched, abs=0.3)


def test_quality_is_the_mean_over_the_pictures_of_what_can_be_judged() -> None:
    clear = np.full((16, 16, 3), 100, np.uint8)

    def pictures() -> object:
        yield clear + 10, clear
        yield clear + 20, clear

    found = tradeoff.quality(pictures, {"mends": lambda picture: picture - 5})
    assert set(found) == {"untouched", "mends"}
    assert found["untouched"] == pytest.approx(np.mean([28.13, 22.11]), abs=0.01)
    assert found["mends"] > found["untouched"]


def test_a_models_multiplications_grow_with_its_thumbnail() -> None:
    small, large = limits.macs("fast", 128, 64), limits.macs("fast", 256, 128)
    assert 3.5 < large / small < 4.1


@pytest.mark.slow
def test_limits_put_a_bound_beside_every_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--sizes", "96x64", "--presets", "ultrafast", "--model", "fast", "--seconds", "0.05", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", ["limits", *words, "--out", str(tmp_path)])
    monkeypatch.setattr(limits, "_BUFFER", 2**20)
    limits.main()
    size = json.loads((tmp_path / "limits.json").read_text())["figures"]["sizes"]["96x64"]
    for stage in ("shrink", "network", "recompose"):
        one = size["stages"][stage]
        assert one["times_its_limit"] == pytest.approx(one["ms"] / one["limit_ms"], rel=0.02)
        assert one["ms_least"] <= one["ms"] <= one["ms_most"]
    transcode = size["transcodes"]["ultrafast"]
    for name in ("ours_fps", "without_fps", "decode_fps", "encode_fps", "share_of_its_limit"):
        assert 0 < transcode[f"{name}_least"] <= transcode[name] <= transcode[f"{name}_most"]
