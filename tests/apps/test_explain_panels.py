from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from rtdehaze.apps.explain import explain_picture
from rtdehaze.apps.explain.belief import Belief
from rtdehaze.apps.explain.ink import Sheet
from rtdehaze.apps.explain.panels import Layout, draw_panels
from rtdehaze.apps.explain.scales import DEPTH, GAIN, TRANSMISSION, Scale, signed
from rtdehaze.apps.explain.views import ViewLayout, draw_view
from rtdehaze.core.card import Gate
from rtdehaze.core.errors import UsageError
from rtdehaze.core.options import Options
from rtdehaze.pipeline.transcode import transcode
from tests.apps.explain_models import grey_is_transmission

SIZES = [(640, 360), (3840, 2160), (1080, 1920), (478, 850), (64, 48), (17, 31), (2000, 60), (60, 2000), (1, 1)]


def ramp(width: int = 640, height: int = 360) -> NDArray[np.uint8]:
    """A grey ramp from black to white: for `grey_is_transmission` its own transmission."""
    line = np.linspace(0, 255, width)
    return np.repeat(np.rint(np.broadcast_to(line, (height, width)))[..., None], 3, axis=2).astype(np.uint8)


def belief(**changes: object) -> Belief:
    t = np.linspace(0.05, 1.0, 64, dtype=np.float32)[None].repeat(36, axis=0)
    capped = t <= 0.1
    values = {
        "transmission": t, "airlight": np.array([0.8, 0.7, 0.6], np.float32), "density": 0.25, "gain": 1 / t,
        "veil": np.stack([0.8 * (1 - t)] * 3), "at_floor": capped, "luma_capped": capped, "chroma_capped": t < 0.4,
        "weight": 0.4, "gate": Gate(0.3, 0.2), "always": False,
    }  # fmt: skip
    return Belief(**(values | changes))  # type: ignore[arg-type]


def panel(sheet: NDArray[np.uint8], layout: Layout, number: int) -> NDArray[np.uint8]:
    x, y = layout.corner(number)
    return sheet[y : y + layout.picture[1], x : x + layout.picture[0]]


def read_off(sheet: NDArray[np.uint8], layout: Layout, number: int, low: float, high: float) -> NDArray[np.float64]:
    """The values of a panel's middle row by its own colour bar, as a person reads them: in shares of the bar."""
    x, y = layout.foot(number)
    bar = sheet[y + 1, x : x + layout.panel[0]].astype(int)
    row = panel(sheet, layout, number)[layout.picture[1] // 2].astype(int)
    nearest = np.abs(row[:, None] - bar[None]).sum(axis=2).argmin(axis=1)
    return low + (high - low) * nearest / (len(bar) - 1)


def test_the_colour_bar_covers_every_transmission_and_reads_back_the_true_one(tmp_path: Path) -> None:
    options = Options(model=grey_is_transmission(tmp_path / "grey.onnx"), exposure=False)
    sheet, layout = explain_picture(ramp(), options), Layout.of(640, 360, 640)
    truth = np.linspace(0, 1, 640)
    clean = truth > 0.11  # what lies below is hatched
    np.testing.assert_allclose(read_off(sheet, layout, 1, 0, 1)[clean], truth[clean], atol=0.025)
    depth = read_off(sheet, layout, 2, 0, 3)
    np.testing.assert_allclose(depth[clean], -np.log(truth[clean]), atol=0.08)


def test_the_gain_panel_shows_one_over_t_up_to_the_cap(tmp_path: Path) -> None:
    options = Options(model=grey_is_transmission(tmp_path / "grey.onnx"), exposure=False)
    sheet, layout = explain_picture(ramp(), options), Layout.of(640, 360, 640)
    gain = 0.5 * 32 ** read_off(sheet, layout, 4, 0, 1)
    truth = np.linspace(0, 1, 640)
    clean = truth > 0.42  # chroma's cap is hatched below 0.4
    np.testing.assert_allclose(gain[clean], 1 / truth[clean], rtol=0.05)


def test_limits_are_hatched_where_they_act_and_nowhere_else(tmp_path: Path) -> None:
    options = Options(model=grey_is_transmission(tmp_path / "grey.onnx"))
    sheet, layout = explain_picture(ramp(), options), Layout.of(640, 360, 640)
    for number, ends in ((1, 0.1), (2, 0.1), (4, 0.4)):
        white = (panel(sheet, layout, number) == 255).all(axis=2).any(axis=0)
        columns = np.flatnonzero(white) / 640
        assert columns.size > 20, number
        assert ends - 0.03 < columns.max() < ends + 0.02, number


def test_the_result_panel_is_what_a_run_writes(tmp_path: Path) -> None:
    from rtdehaze.synth import FoggyDrive

    hazy = FoggyDrive(320, 180, 25, 0.04, 3, median_transmission=0.4).frame(0).hazy
    source, out = tmp_path / "hazy.png", tmp_path / "clear.png"
    cv2.imwrite(str(source), hazy[:, :, ::-1])
    transcode(source, out, model="dcp", mode="manual")
    expected = cv2.imread(str(out))[:, :, ::-1].astype(int)
    sheet, layout = explain_picture(hazy, Options(model="dcp", mode="manual"), panel=320), Layout.of(320, 180, 320)
    assert layout.picture == (320, 180)
    assert np.abs(panel(sheet, layout, 3).astype(int) - expected).max() <= 2
    assert np.abs(panel(sheet, layout, 0).astype(int) - hazy).max() <= 2


def test_a_clear_picture_is_said_to_be_left_alone(tmp_path: Path) -> None:
    model = grey_is_transmission(tmp_path / "grey.onnx", gate={"hazy_above": 0.9, "clear_below": 0.8})
    picture = ramp()
    sheet, layout = explain_picture(picture, Options(model=model)), Layout.of(640, 360, 640)
    assert np.abs(panel(sheet, layout, 3).astype(int) - picture).max() <= 1
    gain = panel(sheet, layout, 4)[: 360 // 3]
    assert (gain == GAIN.colours(np.float32([1.0]))[0]).all()


def overlapping(sheet: Sheet) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other, and texts that leave the sheet."""
    found = []
    height, width = sheet.pixels.shape[:2]
    for number, (words, x, y, across, down) in enumerate(sheet.texts):
        if x < 0 or y < 0 or x + across > width or y + down > height:
            found.append((words, "the edge"))
        for other, left, top, room, line in sheet.texts[:number]:
            if x < left + room and left < x + across and y + down // 4 < top + line and top + line // 4 < y + down:
                found.append((words, other))
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [240, 640])
def test_words_neither_overlap_nor_leave_the_sheet(size: tuple[int, int], side: int) -> None:
    layout = Layout.of(*size, side)
    picture = np.zeros((*layout.picture[::-1], 3), np.uint8)
    about = (
        "model a-model-with-quite-a-long-name, mode manual, strength 100",
        "smoothed over 0.5 s, exposure given back",
    )
    sheet = draw_panels(layout, picture, picture, belief(), about)
    assert overlapping(sheet) == []
    assert sheet.pixels.shape[:2] == layout.size[::-1]
    assert layout.size[0] % 2 == layout.size[1] % 2 == 0


@pytest.mark.parametrize("size", [size for size in SIZES if max(size) < 3000])
@pytest.mark.parametrize("view", ["depth", "gain", "overlay"])
def test_a_single_view_keeps_its_picture_and_its_words_apart(size: tuple[int, int], view: str) -> None:
    layout = ViewLayout.of(*size)
    sheet = draw_view(view, layout, np.full((*size[::-1], 3), 128, np.uint8), belief())
    assert overlapping(sheet) == []
    assert sheet.pixels.shape[:2] == layout.size[::-1]
    assert min(y for _, _, y, _, _ in sheet.texts) >= size[1]
    assert sheet.pixels.shape[1] >= size[0]


@pytest.mark.parametrize("scale", [TRANSMISSION, DEPTH, GAIN])
def test_equal_steps_of_a_scale_are_equal_steps_of_lightness(scale: Scale) -> None:
    light = cv2.cvtColor(scale.table[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0, :, 0]
    steps = np.diff(light[::15])
    assert (steps > 0).all() or (steps < 0).all()
    assert np.abs(steps).max() < 3 * np.abs(steps).min()
    assert all(scale.low <= value <= scale.high for value, _ in scale.ticks)


def test_a_signed_scale_is_as_dark_on_either_side() -> None:
    table = signed("", "", 1.0).table.astype(np.float32)[None] / 255
    light = cv2.cvtColor(table, cv2.COLOR_RGB2LAB)[0, :, 0]
    np.testing.assert_allclose(light, light[::-1], atol=3.0)
    assert light[127] > 85
    assert light[0] < 50


@pytest.mark.parametrize("picture", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture_is_refused(picture: NDArray[np.uint8]) -> None:
    with pytest.raises(UsageError, match="picture"):
        explain_picture(picture)
