from __future__ import annotations

import itertools
import time
from types import SimpleNamespace

import cv2
import limits
import numpy as np
import pytest
import turns
from turns import Contestant, in_turn, take_turns


def test_each_begins_as_often_as_the_others_and_follows_the_same_one() -> None:
    rounds = [in_turn("abc", number) for number in range(6)]
    assert ["".join(order) for order in rounds] == ["abc", "bca", "cab"] * 2
    assert in_turn([], 3) == []


class _Still:
    """Neither dehazes nor runs; only whose turn it is counts."""


class _Ran:
    fps = 1e-3


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, int]]:
    """Of the runs: on what, and OpenCV's threads meanwhile."""
    seen: list[tuple[object, int]] = []

    def run_once(bed: object, dehazer: object, count: int) -> _Ran:
        del dehazer, count
        seen.append((bed, cv2.getNumThreads()))
        return _Ran()

    monkeypatch.setattr(turns, "run_once", run_once)
    return seen


def test_who_begins_a_round_changes(order: list[tuple[object, int]]) -> None:
    there = {name: Contestant(name, _Still) for name in ("a", "b", "c")}
    runs = take_turns(there, 0.1, 3)
    warm_up = 2 * len(there)
    assert [bed for bed, _ in order[warm_up:]] == list("abcbcacab")
    assert [len(own) for own in runs.values()] == [3, 3, 3]


@pytest.mark.parametrize("cores", [1, 2])
def test_others_get_the_cores_that_were_asked_for(order: list[tuple[object, int]], cores: int) -> None:
    take_turns({"peer": Contestant("peer", _Still)}, 0.1, 1, cores)
    assert {threads for _, threads in order} == {cores}


def test_ways_that_are_timed_in_turns_change_who_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    ticks = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks) * 1.0)
    limits.timed({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 0.5)
    assert "".join(seen) == "ab" + "abbaab"


def test_memory_is_what_a_run_adds_and_not_what_the_process_has(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[np.ndarray] = []

    def run_once(bed: object, dehazer: object, count: int) -> object:
        del bed, dehazer, count
        block = np.ones(40 * 2**17)  # 40 MiB
        held[:] = [block]
        peak = turns.resident_mib()
        held.clear()
        return SimpleNamespace(rss_mib=peak)

    monkeypatch.setattr(turns, "run_once", run_once)
    added = turns.added_mib(Contestant("a", _Still))
    assert sorted(added)[1] == pytest.approx(40, abs=6)
