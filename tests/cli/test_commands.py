"""The other commands, and what holds for all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.media import fine_contrast

Command = Callable[..., Any]


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['rtdehaze', '--help']\n"
        "import rtdehaze.cli.main as m\n"
        "try: m.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'av', 'cv2', 'numba', 'numpy', 'onnxruntime', 'rich', 'torch'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout


@pytest.mark.parametrize("command", ["run", "demo", "evaluate", "models", "probe", "doctor"])
def test_every_command_explains_itself(rtdehaze: Command, command: str) -> None:
    result = rtdehaze(command, "--help")
    assert result.code == 0
    assert "Usage: rtdehaze" in result.out


def test_an_unknown_command_gets_one_line(rtdehaze: Command) -> None:
    result = rtdehaze("dehaze")
    assert result.code == 2
    assert len(result.err.splitlines()) == 1
    assert "dehaze" in result.err


def test_models_lists_the_shipped_ones_and_shows_a_card(rtdehaze: Command) -> None:
    listed = rtdehaze("models")
    assert listed.code == 0
    assert "cap" in listed.out
    assert "dcp" in listed.out
    assert "default" in listed.out
    shown = rtdehaze("models", "cap")
    assert "licence" in shown.out
    cards = json.loads(rtdehaze("models", "--json").out)
    assert {"cap", "dcp"} <= {card["name"] for card in cards}
    assert all(card["sha256"] for card in cards)


def test_probe_tells_what_is_in_a_file(rtdehaze: Command, foggy_clip: Path) -> None:
    shown = rtdehaze("probe", foggy_clip)
    assert shown.code == 0
    assert "h264" in shown.out
    assert "160" in shown.out
    assert isinstance(json.loads(rtdehaze("probe", foggy_clip, "--json").out), dict)


def test_probe_of_a_missing_file_gets_one_line(rtdehaze: Command, tmp_path: Path) -> None:
    result = rtdehaze("probe", tmp_path / "missing.mp4")
    assert result.code == 1
    assert len(result.err.splitlines()) == 1


def test_doctor_says_what_opens(rtdehaze: Command) -> None:
    found = json.loads(rtdehaze("doctor", "--json").out)
    providers = {entry["name"]: entry for entry in found["providers"]}
    assert providers["cpu"]["opens"] is True
    encoders = {entry["name"]: entry["opens"] for entry in found["encoders"]}
    assert encoders["libx264"] is True
    assert all(entry["why"] for entry in found["encoders"] if not entry["opens"])
    assert "libx264" in rtdehaze("doctor").out


def test_the_demo_writes_both_videos_and_a_picture_of_both(rtdehaze: Command, tmp_path: Path) -> None:
    clear = tmp_path / "new" / "drive.mp4"
    result = rtdehaze("demo", "-o", clear, "--seconds", "0.4")
    assert result.code == 0, result.err
    for name in ("drive.mp4", "drive-foggy.mp4", "drive-side-by-side.png"):
        assert str(clear.with_name(name)) in result.out
    picture = cv2.imread(str(clear.with_name("drive-side-by-side.png")))
    assert picture is not None
    assert picture.shape == (540, 1920, 3)
    assert fine_contrast(picture[:, 960:]) > 1.3 * fine_contrast(picture[:, :960])


def test_a_second_demo_needs_leave_to_overwrite_the_first(rtdehaze: Command, tmp_path: Path) -> None:
    (tmp_path / "drive.mp4").write_bytes(b"precious")
    result = rtdehaze("demo", "-o", tmp_path / "drive.mp4", "--seconds", "0.4")
    assert result.code == 2
    assert (tmp_path / "drive.mp4").read_bytes() == b"precious"
