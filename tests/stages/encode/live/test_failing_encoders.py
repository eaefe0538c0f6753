"""An encoder that does not open, or fails on the way, is the matter of its own outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rtdehaze.core.errors import SinkError, UsageError
from rtdehaze.core.live import LiveOptions
from rtdehaze.core.options import Options
from rtdehaze.stages.encode.live import open_live_outputs
from rtdehaze.stages.encode.live.encoding import Encoding
from tests.stages.encode.live.drive import Drive, run
from tests.stages.encode.live.peers import seen

pytestmark = pytest.mark.usefixtures("_unhurried")


def test_a_setting_that_an_encoder_does_not_know_is_refused_in_one_line_before_anything_begins(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = [str(tmp_path / "a.mkv"), str(tmp_path / "b.webm")]
    outputs = open_live_outputs(names, Options(preset="ultrafast"), LiveOptions())
    with pytest.raises(UsageError, match=r"b\.webm: encoder libvpx-vp9 does not open"):
        outputs.adapt(Drive().joined)
    outputs.close()
    assert caplog.messages == []
    assert list(tmp_path.iterdir()) == []


def test_a_first_picture_that_one_encoder_does_not_take_leaves_the_other_outputs(tmp_path: Path) -> None:
    names = [tmp_path / "a.mkv", tmp_path / "b.webm"]
    outputs = open_live_outputs([str(name) for name in names], Options(), LiveOptions())
    run(outputs, Drive(17_000, 16), 5)
    outputs.close()
    assert "does not open at 17000x16" in str(outputs.statuses()[0].error)
    assert len(seen(names[1]).times) == outputs.statuses()[1].frames > 0
    assert list(tmp_path.iterdir()) == [names[1]]


@pytest.fixture(params=["open", "encode", "flush"])
def _broken_x264(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """H.264's encoder, the first of the run, fails in one place."""
    place = getattr(Encoding, request.param)

    def broken(self: Encoding, *arguments: Any) -> Any:
        if self.plan.encoder == "libx264":
            raise SinkError("the encoder has burnt out")
        return place(self, *arguments)

    monkeypatch.setattr(Encoding, request.param, broken)


@pytest.mark.usefixtures("_broken_x264")
def test_an_encoder_that_fails_takes_its_own_outputs_down_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = [tmp_path / "a.mkv", tmp_path / "b.mp4", tmp_path / "c.webm"]
    outputs = open_live_outputs([str(name) for name in names], Options(), LiveOptions())
    run(outputs, Drive(), 20, pace=2.0)
    outputs.close()
    *failed, kept = outputs.statuses()
    assert [status.error for status in failed] == ["the encoder has burnt out"] * 2
    assert [status.frames + status.dropped for status in (*failed, kept)] == [20] * 3
    assert kept.error is None
    assert len(seen(names[2]).times) == kept.frames > 0
    assert [line.split(": ", 1)[1] for line in caplog.messages] == ["the encoder has burnt out; given up"] * 2


@pytest.mark.parametrize("_broken_x264", ["open", "encode"], indirect=True)
@pytest.mark.usefixtures("_broken_x264")
def test_when_no_encoder_is_left_the_run_ends(tmp_path: Path) -> None:
    outputs = open_live_outputs([str(tmp_path / "a.mkv"), str(tmp_path / "b.mp4")], Options(), LiveOptions())
    with pytest.raises(SinkError, match="no output is left: the encoder has burnt out"):
        run(outputs, Drive(), 1)
    outputs.close()
