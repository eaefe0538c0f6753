"""What the help of live runs warns of."""

from __future__ import annotations

import click
import pytest

from rtdehaze.cli.run import run


def test_it_is_said_that_an_option_unknown_to_ffmpeg_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(click.exceptions.Exit):
        run.make_context("run", ["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "FFmpeg passes over those that it does not know" in said
