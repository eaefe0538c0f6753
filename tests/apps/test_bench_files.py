from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from rtdehaze.apps.bench.compare import compare
from rtdehaze.apps.bench.plot import plot_bench
from rtdehaze.apps.bench.reading import read_bench
from rtdehaze.apps.bench.results import SCHEMA, Bench, Spread, write_bench
from rtdehaze.core.errors import SinkError, UsageError


def test_the_json_says_all_and_is_read_back_as_it_was(found: Bench, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    write_bench(found, path)
    content = json.loads(path.read_text())
    assert content["schema"] == SCHEMA == "rtdehaze-bench/1"
    assert set(content) == {"schema", "date", "machine", "stolen", "settings", "interrupted", "rows"}
    assert set(content["settings"]) == {"source", "seconds", "rounds", "threads", "rtdehaze"}
    assert set(content["machine"]) == {
        "processor", "cores", "governor", "memory_gib", "gpus", "system", "python", "libraries", "revision",
    }  # fmt: skip
    assert {"av", "numpy", "numba", "opencv-python"} <= set(content["machine"]["libraries"])
    assert read_bench(path) == found


def test_a_file_of_before_stolen_time_was_looked_at_can_still_be_read(found: Bench, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    write_bench(found, path)
    content = json.loads(path.read_text())
    del content["stolen"]
    path.write_text(json.dumps(content))
    assert read_bench(path) == dataclasses.replace(found, stolen=None)


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "not JSON"), ("[]", "schema"), ('{"schema": "other"}', "schema"), (f'{{"schema": "{SCHEMA}"}}', "damaged")],
)
def test_a_file_that_is_no_benchmark_is_refused_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=said):
        read_bench(path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("machine",), None),
        (("machine", "libraries"), "missing"),
        (("machine", "gpus"), [1]),
        (("machine", "cores"), [[[]]]),
        (("machine", "processor"), "\ud800"),
        (("settings",), []),
        (("stolen",), "much"),
        (("rows",), None),
        (("rows", 0), 1),
        (("rows", 0, "model"), 1),
        (("rows", 0, "fps", "median"), 0),
        (("rows", 0, "fps", "median"), "24"),
        (("rows", 0, "fps", "high"), float("nan")),
        (("rows", 0, "fps", "runs"), [None]),
        (("rows", 0, "cores", "median"), True),
        (("rows", 0, "rss_mib"), 0),
        (("rows", 0, "rss_mib"), 10**400),
        (("rows", 0, "reference"), "missing"),
        (("rows", 0, "latency_ms", "p50"), "missing"),
        (("rows", 0, "stages_ms", "estimate", "mean"), None),
        (("rows", 0, "gpu_memory_mib"), "1"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line_that_says_where(
    found: Bench, tmp_path: Path, place: tuple[str | int, ...], value: object
) -> None:
    path = tmp_path / "bench.json"
    content = json.loads(json.dumps(found.to_dict()))
    part = content
    for name in place[:-1]:
        part = part[name]
    if value == "missing":
        del part[place[-1]]
    else:
        part[place[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="is damaged") as refused:
        read_bench(path)
    assert str(place[-1]) in str(refused.value)
    assert len(str(refused.value)) < 200 + len(str(path))


def test_a_file_of_lists_in_lists_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text("[" * 200_000 + "]" * 200_000)
    with pytest.raises(UsageError, match="is damaged"):
        read_bench(path)


def test_the_plot_shows_a_bar_for_every_combination(found: Bench, tmp_path: Path) -> None:
    path = tmp_path / "bench.png"
    plot_bench(found, path)
    picture = cv2.imread(str(path))
    assert picture is not None
    estimate = np.array([0x77, 0x66, 0xEE])  # BGR of its colour
    rows = np.flatnonzero((np.abs(picture.astype(int) - estimate).max(2) < 8).sum(1) > 5)
    bars = 1 + np.count_nonzero(np.diff(rows) > 3)
    assert bars == len(found.rows) + 1  # and its sample in the legend


def test_a_plot_that_cannot_be_written_leaves_nothing(found: Bench, tmp_path: Path) -> None:
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(SinkError, match=r"taken\.png"):
        plot_bench(found, tmp_path / "taken.png")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]


def faster(bench: Bench, factor: float) -> Bench:
    rows = []
    for row in bench.rows:
        stages = {stage: {key: ms / factor for key, ms in times.items()} for stage, times in row.stages_ms.items()}
        rows.append(dataclasses.replace(row, fps=Spread.of([run * factor for run in row.fps.runs]), stages_ms=stages))
    libraries = bench.machine["libraries"] | {"numpy": "9.9"}
    return dataclasses.replace(bench, rows=tuple(rows), machine=bench.machine | {"libraries": libraries})


def test_comparing_gives_ratios_and_what_differs_between_the_machines(found: Bench) -> None:
    compared = compare(found, faster(found, 1000.0))
    for pair in compared.pairs:
        assert pair.fps == pytest.approx(1000.0)
        assert pair.fps_apart
        assert pair.stages["estimate"] == pytest.approx(0.001)
        assert pair.rss == 1.0
    assert compared.machines == {"numpy": (found.machine["libraries"]["numpy"], "9.9")}


def test_comparing_gives_the_ratio_of_the_shares_where_a_codec_was_used(found: Bench) -> None:
    rows = [dataclasses.replace(row, ratio=Spread.of([2.0 * run for run in row.ratio.runs])) for row in found.rows]
    copy, transcode = compare(found, dataclasses.replace(found, rows=tuple(rows))).pairs
    assert copy.share is None
    assert transcode.share == pytest.approx(2.0, rel=0.01)
    none = dataclasses.replace(found.rows[1], ratio=Spread.of([0.0]))
    assert compare(dataclasses.replace(found, rows=(none,)), found).pairs[0].share is None


def test_comparing_calls_no_difference_where_the_spreads_overlap(found: Bench) -> None:
    assert not any(pair.fps_apart for pair in compare(found, found).pairs)


def test_comparing_lists_what_only_one_has_and_refuses_where_nothing_is_common(found: Bench) -> None:
    first, second = (dataclasses.replace(found, rows=(row,)) for row in found.rows)
    assert compare(found, first).only_first == (found.rows[1],)
    with pytest.raises(UsageError, match="in common"):
        compare(first, second)
