"""How often haze is estimated, over simulated time."""

from __future__ import annotations

from itertools import pairwise

from rtdehaze.pipeline.live.pace import Pace

INTERVAL = 1 / 30


class Machine:
    """Estimates frames that come 30 times a second, two of which may wait; what an estimate costs may change."""

    def __init__(self, pace: Pace, estimating: float, carrying: float = 0.002) -> None:
        self.pace, self.estimating, self.carrying = pace, estimating, carrying
        self.now, self.come, self.dropped, self.carried = 0.0, 0, 0, 0
        self.waiting: list[float] = []
        self.history: list[int] = []

    def run(self, seconds: float) -> int:
        """Lets time pass; returns `every` then."""
        end = self.now + seconds
        while self.now < end:
            while self.come * INTERVAL <= self.now or not self.waiting:
                self.waiting.append(self.come * INTERVAL)
                self.come += 1
            self.dropped += max(0, len(self.waiting) - 2)
            self.waiting = self.waiting[-2:]
            carried = self.carried + 1 < self.pace.every
            self.carried = self.carried + 1 if carried else 0
            cost = self.carrying if carried else self.estimating
            self.now = max(self.now, self.waiting.pop(0)) + cost
            every = self.pace.note(self.now, cost, carried=carried, interval=INTERVAL, dropped=self.dropped)
            if not self.history or every != self.history[-1]:
                self.history.append(every)
        return self.pace.every


def test_a_machine_that_keeps_up_estimates_every_frame() -> None:
    machine = Machine(Pace(), estimating=0.010)
    assert machine.run(60) == 1
    assert machine.history == [1]


def test_estimates_become_fewer_until_the_machine_keeps_up_and_no_fewer() -> None:
    machine = Machine(Pace(), estimating=0.060)
    assert machine.run(20) in (3, 4)
    assert machine.history == sorted(machine.history)


def test_they_come_back_when_the_load_has_gone() -> None:
    machine = Machine(Pace(), estimating=0.060)
    machine.run(20)
    machine.estimating = 0.008
    assert machine.run(60) == 1


def test_near_the_limit_it_does_not_swing() -> None:
    machine = Machine(Pace(), estimating=0.031)
    machine.run(300)
    assert len(machine.history) <= 4


def test_trials_that_fail_become_rare() -> None:
    # Estimating looks cheap, yet whenever every frame is estimated the encoder gets too little and frames are lost.
    pace = Pace()
    now, dropped, changes, before = 0.0, 0, [], 1
    while now < 600:
        now += INTERVAL
        dropped += pace.every == 1 and int(now * 30) % 5 == 0
        every = pace.note(now, 0.010, carried=False, interval=INTERVAL, dropped=dropped)
        if every != before:
            changes.append(now)
            before = every
    trials = changes[1::2]
    assert 3 <= len(trials) <= 12
    gaps = [later - earlier for earlier, later in pairwise(trials)]
    assert gaps[-1] > 60


def test_a_hiccup_changes_nothing() -> None:
    pace = Pace()
    for number in range(900):
        pace.note(number * INTERVAL, 0.010, carried=False, interval=INTERVAL, dropped=int(number > 400))
    assert pace.every == 1


def test_it_never_goes_below_what_the_user_chose() -> None:
    machine = Machine(Pace(3), estimating=0.001)
    assert machine.run(60) == 3
    machine.estimating = 0.150
    assert machine.run(60) > 3


def test_without_steps_it_stays_as_it_is() -> None:
    machine = Machine(Pace(2, ()), estimating=0.3)
    assert machine.run(60) == 2
