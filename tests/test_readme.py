"""What the README says works as it says it."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"), ids=["dehazer", "transcode"])
def test_a_python_example_runs(
    code: str, foggy_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(foggy_clip, tmp_path / "foggy.mp4")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert "density" in capsys.readouterr().out


def test_the_commands_run_with_the_options_shown(
    rtdehaze: Callable[..., Any], foggy_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(foggy_clip, "foggy.mp4")
    commands = re.findall(r"^rtdehaze (run foggy\.mp4[^#\n]*)", README, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        arguments = shlex.split(command.replace("--start 01:30 --duration 20", ""))
        if "my-network.onnx" in arguments:
            continue
        assert rtdehaze(*arguments, "--overwrite").code == 0, command


def test_every_picture_and_file_named_is_there() -> None:
    root = Path(__file__).parents[1]
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README) + re.findall(
        r"`((?:models|benchmarks)/[\w./]+)`", README
    ):
        assert (root / name).exists(), name
