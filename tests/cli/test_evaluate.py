"""The command that scores: its tables and files, and what it says of wrong arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("skimage")

from tests.apps.evaluation_folders import clips_folder, pairs_folder

Command = Callable[..., Any]


def test_one_call_scores_models_over_domains_and_writes_figures_and_page(rtdehaze: Command, tmp_path: Path) -> None:
    pairs_folder(tmp_path / "outdoor")
    clips_folder(tmp_path / "drives", frames=3)
    (tmp_path / "domains.toml").write_text('[driving]\nclips = "drives"\n[fog]\nreal = "outdoor/hazy"\n')
    figures, page = tmp_path / "scores.json", tmp_path / "scores.html"
    result = rtdehaze(
        "evaluate", "--model", "cap", "--model", "dcp", "--pairs", f"out={tmp_path / 'outdoor'}",
        "--domains", tmp_path / "domains.toml", "--json", figures, "--html", page,
    )  # fmt: skip
    assert result.code == 0, result.err
    for word in ("out (3 pairs)", "driving (1 clips)", "fog (3 real)", "all domains", "CIEDE2000", "cap", "dcp"):
        assert word in result.out
    found = json.loads(figures.read_text())
    assert [domain["name"] for domain in found["domains"]] == ["out", "driving", "fog"]
    assert set(found["models"]) == {"cap", "dcp"}
    shown = f"{found['domains'][0]['means']['dcp']['psnr']:.2f}"
    assert shown in result.out
    assert shown in page.read_text()
    assert sorted(path.name for path in tmp_path.glob("scores*")) == ["scores.html", "scores.json"]


def test_an_existing_file_is_kept_before_anything_is_computed(rtdehaze: Command, tmp_path: Path) -> None:
    kept = tmp_path / "scores.json"
    kept.write_text("mine")
    arguments = ("evaluate", "--model", "cap", "--pairs", pairs_folder(tmp_path / "pairs", (0.5,)), "--json", kept)
    result = rtdehaze(*arguments)
    assert (result.code, kept.read_text(), result.out) == (2, "mine", "")
    assert "--overwrite" in result.err
    assert rtdehaze(*arguments, "--overwrite").code == 0
    assert json.loads(kept.read_text())


def make_domains(folder: Path, text: str) -> Path:
    path = folder / "domains.toml"
    path.write_text(text)
    return path


WRONG: dict[str, tuple[Callable[[Path], list[object]], int, str]] = {
    "nothing to score": (lambda folder: [], 2, "--pairs"),
    "no folder": (lambda folder: ["--pairs", folder / "absent"], 2, "absent"),
    "an empty folder": (lambda folder: ["--real", folder], 1, "no photograph or video"),
    "no pairs": (lambda folder: ["--pairs", folder], 1, "clear"),
    "no clips": (lambda folder: ["--clips", folder], 1, "clear"),
    "one name twice": (lambda folder: ["--real", f"a={folder}", "--pairs", f"a={folder}"], 2, "'a'"),
    "generated real haze": (lambda folder: ["--real", "generated"], 2, "cannot be generated"),
    "unknown model": (lambda folder: ["--model", "nobody", "--real", folder], 2, "nobody"),
    "no such file of domains": (lambda folder: ["--domains", folder / "no.toml"], 2, "no.toml"),
    "domains that are no TOML": (lambda folder: ["--domains", make_domains(folder, "[")], 2, "not TOML"),
    "an unknown kind": (lambda folder: ["--domains", make_domains(folder, '[a]\nfog = "x"')], 2, "[a]"),
    "a place that is not there": (
        lambda folder: ["--pairs", "generated", "--html", folder / "no" / "page.html"], 2, "page.html",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_call_gets_one_line_that_says_what_is_wrong(rtdehaze: Command, tmp_path: Path, case: str) -> None:
    arguments, code, named = WRONG[case]
    result = rtdehaze("evaluate", *arguments(tmp_path))
    assert result.code == code, result.err
    assert len(result.err.splitlines()) == 1, result.err
    assert named in result.err
    assert result.out == ""
