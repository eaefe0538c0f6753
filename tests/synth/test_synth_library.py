from __future__ import annotations

import numpy as np
import pytest

from rtdehaze.synth.library import KINDS, views


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_is_seen_from_several_moments_with_its_depth_and_again_the_same(kind: str) -> None:
    seen = list(views(kind, 3, 2, 48, 64))
    assert len(seen) == 2
    for clear, depth in seen:
        assert (clear.shape, clear.dtype) == ((48, 64, 3), np.uint8)
        assert (depth.shape, depth.dtype) == ((48, 64), np.float32)
        assert depth.min() > 0
    assert not np.array_equal(seen[0][0], seen[1][0])
    again = next(views(kind, 3, 2, 48, 64))
    np.testing.assert_array_equal(seen[0][0], again[0])
    np.testing.assert_array_equal(seen[0][1], again[1])


def test_an_unknown_kind_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="moon"):
        views("moon", 0, 1, 48, 64)
