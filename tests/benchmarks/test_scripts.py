from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from pathlib import Path

import pytest
import results
from arguments import any_number, listed, pixels_word, run_script, whole

from rtdehaze.core.errors import SinkError, SourceError, UnknownModelError

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


WRONG = [
    ("compare_peers", ["--size", "huge"], "size 'huge' is unknown"),
    ("compare_peers", ["--models", "nosuch"], "nosuch"),
    ("compare_peers", ["--peers", "magic"], "aod-net"),
    ("compare_peers", ["--rounds", "0"], "must be 1 to"),
    ("compare_peers", ["--seconds", "nan"], "must be 0.01 to 3600"),
    ("growth", ["--parts", "nosuch"], "there are: sizes, streams"),
    ("growth", ["--streams", "0"], "must be 1 to 256"),
    ("limits", ["--presets", "typo"], "ultrafast"),
    ("tradeoff", ["--models", "nosuch"], "nosuch"),
    ("pipeline", ["--sizes", "1280"], "size '1280' is unknown"),
    ("transcode", ["--size", "0x0"], "sides must be even"),
    ("recompose", ["--threads", "two"], "is no whole number"),
    ("models", ["--model", "nosuch"], "nosuch"),
    ("smoothing", ["--noise", ","], "is empty"),
    ("edges", ["--maps", "-3"], "must be 8 to"),
    ("visibility", ["--seeds", "x"], "is no whole number"),
    ("video", ["--models", "nosuch"], "nosuch"),
    ("live", ["soak", "--size", "x"], "size 'x' is unknown"),
    ("summary", ["--folder", "/nowhere"], "is no folder"),
]


@pytest.mark.parametrize(("script", "words", "message"), WRONG, ids=lambda one: one if isinstance(one, str) else None)
def test_wrong_words_are_refused_before_anything_is_measured(
    script: str, words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(script, words, monkeypatch, capsys)
    assert code == 2
    assert message in text
    assert text.splitlines()[-1].startswith(f"{script}.py: error: ")


def test_a_folder_without_pairs_ends_the_tradeoff_at_once() -> None:
    tradeoff = importlib.import_module("tradeoff")
    with pytest.raises(SourceError, match="nowhere"):
        tradeoff.of_folder(Path("/nowhere"), None)


def test_what_a_script_raises_is_one_line_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["somewhere/one.py"])
    for error, code in ((UnknownModelError("no model x"), 2), (SinkError("disk full"), 1), (KeyboardInterrupt(), 130)):

        def main(error: BaseException = error) -> None:
            raise error

        with pytest.raises(SystemExit) as ended:
            run_script(main)
        assert ended.value.code == code
        printed = capsys.readouterr().err
        assert printed.startswith("one.py: ")
        assert printed.count("\n") == 1
    # Our own mistakes keep their traceback.
    with pytest.raises(StopIteration):
        run_script(lambda: next(iter(())))


def test_words_are_read_with_their_ranges() -> None:
    assert listed(whole(1))("2,1,2,") == [2, 1]
    assert pixels_word("4k") == "3840x2160"
    assert any_number(0)("0.5") == 0.5
    for read, word in ((whole(1), "0"), (any_number(0), "inf"), (listed(whole(1)), "")):
        with pytest.raises(argparse.ArgumentTypeError):
            read(word)


def test_settings_are_kept_beside_the_figures_and_paths_are_not(tmp_path: Path) -> None:
    given = argparse.Namespace(
        seconds=4.0, sizes=["360p"], limit=None, pairs=["out=/home/me/out"], clip=Path("/a/b.mp4"), out=tmp_path
    )
    path = results.save("try", {"a": 1}, tmp_path, results.settings_of(given))
    content = json.loads(path.read_text())
    assert content["settings"] == {"seconds": 4.0, "sizes": ["360p"], "pairs": ["out=out"], "clip": "b.mp4"}
    assert content["figures"] == {"a": 1}


def test_a_median_stands_beside_its_least_and_greatest() -> None:
    assert results.spread("fps", [3.14, 1.0, 2.0], 1) == {
        "fps": 2.0,
        "fps_least": 1.0,
        "fps_most": 3.1,
        "fps_runs": [3.1, 1.0, 2.0],
    }
    assert "ms_runs" not in results.spread("ms", [1.0] * 50)


def test_two_models_of_one_file_name_have_a_column_each() -> None:
    columns = importlib.import_module("real_sheet").columns
    assert columns(["base", "runs/new/fast.onnx"]) == [("base", "base"), ("fast", "runs/new/fast.onnx")]
    assert columns(["base", "runs/new/base.onnx"]) == [("base", "base"), ("runs/new/base.onnx", "runs/new/base.onnx")]
