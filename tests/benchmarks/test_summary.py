from __future__ import annotations

from pathlib import Path

import summary
from results import save

ROW = {"size": "3840x2160", "format": "yuv420p", "way": "whole", "precision": "fp16", "cuda_graph": True, "lanes": 4}


def test_results_become_tables_and_what_is_missing_is_left_out(tmp_path: Path) -> None:
    peers = [{"method": "aod-net", "fps": 5.1, "ms_per_frame": 195.0, "ours_over_it": 41.5}]
    save("peers", {"size": "1080p", "peers": {}, "none": peers}, tmp_path)
    said = summary.summary(tmp_path)
    assert "| aod-net | 5.1 | 195.0 | 41.5 |" in said
    assert "## growth" not in said


def test_a_gpu_figure_that_failed_says_why_instead_of_a_number(tmp_path: Path) -> None:
    ran = ROW | {"fps": 612.0, "latency_ms": {"p50": 2.1, "p99": 2.4}}
    failed = ROW | {"failed": "CUDAExecutionProvider did not open"}
    save("gpu", {"device": "cuda", "rows": [ran, failed]}, tmp_path)
    lines = summary.summary(tmp_path).splitlines()
    assert "| 3840x2160 yuv420p | whole | fp16 | yes | 4 | 612.0 | 2.1 | 2.4 |" in lines
    assert "| 3840x2160 yuv420p | whole | fp16 | yes | 4 | CUDAExecutionProvider did not open |  |  |" in lines


def test_the_results_of_the_repository_can_be_drawn() -> None:
    assert summary.summary(Path(summary.RESULTS)).startswith("# Results")
