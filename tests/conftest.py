from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

# Whether an example takes long says nothing on a machine that may stand still: no test times what it proves.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def foggy_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated foggy drive of 24 frames, 160 x 96, h264 in mp4."""
    from rtdehaze.apps.demo import write_drive

    path = tmp_path_factory.mktemp("clips") / "foggy.mp4"
    write_drive(path, width=160, height=96, seconds=24 / 25, noise=0.005)
    return path


@pytest.fixture
def rtdehaze(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs the command in this process."""
    from rtdehaze.cli.main import main

    def command(*arguments: object) -> Result:
        monkeypatch.setattr("sys.argv", ["rtdehaze", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as leave:
            code = int(leave.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return command


@pytest.fixture(autouse=True)
def _no_handler_is_left_behind() -> Iterator[None]:
    logger = logging.getLogger("rtdehaze")
    before = list(logger.handlers)
    yield
    assert logger.handlers == before
