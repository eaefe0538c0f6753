from __future__ import annotations

import argparse
import importlib
import re
import sys
from pathlib import Path

import pytest
import results

FOLDER = Path(results.__file__).parent
SAVING = sorted(
    path.stem for path in FOLDER.glob("*.py") if re.search(r"^from results import .*\bsave\b", path.read_text(), re.M)
)


def said(
    script: str, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """Exit code and everything that is printed."""
    monkeypatch.setattr(sys, "argv", [f"{script}.py", *words])
    if script == "video":
        pytest.importorskip("torch")
    module = importlib.import_module(script)
    with pytest.raises(SystemExit) as ended:
        module.main()
    found = capsys.readouterr()
    return int(ended.value.code or 0), found.out + found.err


@pytest.mark.parametrize("script", SAVING)
def test_a_try_of_any_script_can_go_elsewhere(
    script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(script, ["--help"], monkeypatch, capsys)
    assert code == 0
    assert "--out" in text


def test_figures_go_to_any_folder_and_never_through_a_file(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    results.add_out(parser)
    assert parser.parse_args([]).out == results.RESULTS
    there = parser.parse_args(["--out", str(tmp_path / "new" / "one")]).out
    assert results.save("try", {"a": 1}, there).is_file()
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--out", str(tmp_path / "file" / "below")])
    assert ended.value.code == 2
