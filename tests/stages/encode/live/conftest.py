from __future__ import annotations

import pytest

from rtdehaze.stages.encode.live import outputs, push
from tests.live.fixtures import *  # noqa: F403
from tests.live.servers import PATIENCE


@pytest.fixture
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing completes everything, however slow this machine is."""
    monkeypatch.setattr(outputs, "_CLOSING", PATIENCE)
    monkeypatch.setattr(push, "_FAREWELL", PATIENCE)
