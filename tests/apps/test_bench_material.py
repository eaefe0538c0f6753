from __future__ import annotations

import itertools
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from rtdehaze.apps.bench.material import gather, playable
from rtdehaze.apps.bench.plan import parse_codec, parse_size
from rtdehaze.apps.bench.running import resident_mib
from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.core.freed import give_back_freed


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere freed memory cannot be given back")
def test_the_place_that_was_drawn_is_not_kept() -> None:
    def resident() -> float:
        give_back_freed()
        return resident_mib()

    gather("generated", (96, 64))
    before = resident()
    gather("generated", (1280, 720))
    assert resident() - before < 20


def test_a_file_is_measured_at_its_own_size_and_at_others(foggy_clip: Path) -> None:
    own = gather(str(foggy_clip), None)
    assert own.file == foggy_clip
    assert (own.frames[0].width, own.frames[0].height) == (160, 96)
    other = gather(str(foggy_clip), (130, 66))
    assert other.file is None
    assert [plane.samples.shape for plane in other.frames[0].planes] == [(66, 130), (33, 65), (33, 65)]
    for a, b in zip(own.frames[0].planes, other.frames[0].planes, strict=True):
        assert a.samples.mean() == pytest.approx(b.samples.mean(), abs=1.0)


def test_a_clip_that_is_read_again_and_again_has_one_clock(foggy_clip: Path) -> None:
    with playable(gather(str(foggy_clip), None), 1) as play:
        frames = [item for item in play(60).items() if isinstance(item, Frame)]
    times = [frame.pts * frame.time_base for frame in frames]
    steps = {later - earlier for earlier, later in itertools.pairwise(times)}
    assert len(frames) == 60
    assert steps == {Fraction(1, 25)}


@pytest.mark.parametrize("word", ["1080", "96x", "95x64", "96x62000", "32x32", ""])
def test_a_word_that_is_no_size_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="size"):
        parse_size(word)


def test_sizes_have_their_usual_names() -> None:
    assert [parse_size(word) for word in ("720p", "4K", "8k", "130x66")] == [
        (1280, 720),
        (3840, 2160),
        (7680, 4320),
        (130, 66),
    ]


@pytest.mark.parametrize("word", [":fast", "h264:", "none:fast", ""])
def test_a_word_that_is_no_codec_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="codec"):
        parse_codec(word)
