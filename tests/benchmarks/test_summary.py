from __future__ import annotations

import re
from pathlib import Path

import summary
from results import save
from tables import records, said, spread_of

ROW = {"size": "3840x2160", "format": "yuv420p", "way": "whole", "precision": "fp16", "cuda_graph": True, "lanes": 4}


def test_results_become_tables_and_what_is_missing_is_left_out(tmp_path: Path) -> None:
    peers = [{"method": "aod-net", "fps": 5.1, "ms_per_frame": 195.0, "ours_over_it": 41.5}]
    save("peers", {"size": "1080p", "peers": {}, "none": peers}, tmp_path)
    text = summary.summary(tmp_path)
    assert "| aod-net | 5.10 | 195 | 41.5 |" in text
    assert "## growth" not in text


def test_a_gpu_figure_that_failed_says_why_instead_of_a_number(tmp_path: Path) -> None:
    ran = ROW | {"fps": 612.0, "latency_ms": {"p50": 2.1, "p99": 2.4}}
    failed = ROW | {"failed": "CUDAExecutionProvider did not open"}
    save("gpu", {"device": "cuda", "rows": [ran, failed]}, tmp_path)
    lines = summary.summary(tmp_path).splitlines()
    assert "| 3840x2160 yuv420p | whole | fp16 | yes | 4 | 612.0 | 2.1 | 2.4 |" in lines
    assert "| 3840x2160 yuv420p | whole | fp16 | yes | 4 | CUDAExecutionProvider did not open |  |  |" in lines


def test_a_ratio_stands_beside_its_least_and_greatest_as_results_of_any_age_have_it() -> None:
    row = {"it": 49.17, "it_least": 21.21, "it_most": 52.9}
    assert spread_of(row, "it") == "49.2 (21 to 53)"
    assert spread_of({"it": 0.07, "it_runs": [0.02, 0.08, 0.07]}, "it") == "0.070 (0.02 to 0.08)"
    assert spread_of({"it": 440.72}, "it") == "441"
    assert spread_of({"it": 1.0, "it_runs": [1.0, 1.0]}, "it") == "1.00"
    assert said({"size": "4k", **row}) == "size=4k  it=49.2 (21 to 53)"
    assert records([{"size": "4k", **row, "law": {}}]) == [
        "| size | it |",
        "| --- | ---: |",
        "| 4k | 49.2 (21 to 53) |",
    ]


def test_settings_and_pictures_are_shown(tmp_path: Path) -> None:
    save("growth", {"every": {"size": "1080p", "rows": [{"every": 2, "fps": 9.0}]}}, tmp_path, {"rounds": 5})
    assert "Settings: rounds 5." in summary.summary(tmp_path)
    assert "![growth]" not in summary.summary(tmp_path)
    (tmp_path / "growth.png").touch()
    assert "![growth](growth.png)" in summary.summary(tmp_path)


def test_memory_that_says_nothing_of_a_row_is_left_out(tmp_path: Path) -> None:
    save("growth", {"every": {"size": "1080p", "rows": [{"every": 2, "rss_mib": 1816}]}}, tmp_path)
    assert "1816" not in summary.summary(tmp_path)


def test_all_results_of_the_repository_have_tables() -> None:
    text = summary.summary(summary.RESULTS)
    names = {path.stem for path in summary.RESULTS.glob("*.json")}
    assert {line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")} == names
    assert "Without a table" not in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({line.count("|") for line in table.splitlines()}) == 1
