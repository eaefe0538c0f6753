"""What is counted of a frame that goes out."""

from __future__ import annotations

import time

from rtdehaze.core.live import LossPolicy
from rtdehaze.pipeline.live.accounts import Accounts
from rtdehaze.pipeline.live.delivery import Delivery
from rtdehaze.pipeline.live.fillers import Fillers
from rtdehaze.pipeline.live.passage import Passage
from tests.pipeline.live.fakes import RecordingOutputs, frame, joined


def test_encoding_belongs_to_the_age_of_a_frame_and_not_to_what_dehazing_adds() -> None:
    outputs, accounts = RecordingOutputs(), Accounts()
    delivery = Delivery(outputs, accounts, Fillers(LossPolicy.STOP, "camera", outputs))
    delivery.join(joined(frame()))
    outputs.before_write = lambda _: time.sleep(0.2)
    now = time.monotonic()
    delivery.write(Passage(frame(), 0, decoded=now, arrival=now))
    status = accounts.status()
    assert status.age_ms["p50"] - status.added_ms["p50"] >= 150.0
