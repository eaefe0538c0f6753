"""The share of a virtual machine's time that others got."""

from __future__ import annotations

from pathlib import Path

from rtdehaze.apps.bench.stolen import StolenTime


def written(path: Path, *ticks: int) -> Path:
    path.write_text("cpu  " + " ".join(map(str, ticks)) + "\ncpu0 1 2 3\n")
    return path


def test_it_is_counted_since_the_beginning_against_what_was_wanted(tmp_path: Path) -> None:
    stolen = StolenTime(written(tmp_path / "stat", 100, 10, 10, 5000, 70, 0, 5, 40, 0, 0))
    written(tmp_path / "stat", 150, 20, 15, 6000, 90, 0, 10, 70, 0, 0)
    assert stolen.share() == 0.3


def test_where_nothing_was_wanted_nothing_was_stolen(tmp_path: Path) -> None:
    assert StolenTime(written(tmp_path / "stat", 100, 10, 10, 5000, 70, 0, 5, 40, 0, 0)).share() == 0.0


def test_a_system_that_does_not_tell_has_no_figure(tmp_path: Path) -> None:
    assert StolenTime(tmp_path / "missing").share() is None
    assert StolenTime(written(tmp_path / "old", 100, 10, 10, 5000)).share() is None
    (tmp_path / "empty").write_text("")
    assert StolenTime(tmp_path / "empty").share() is None
