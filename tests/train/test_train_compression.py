from __future__ import annotations

import numpy as np
import pytest

from rtdehaze.measure.fidelity import psnr
from rtdehaze.train.compression import compress_h264, compress_jpeg


def clip(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """A textured picture that moves to the right by two samples a frame."""
    rng = np.random.default_rng(3)
    wide = np.kron(rng.integers(0, 255, (height // 4, width // 2, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    return [np.ascontiguousarray(wide[:, 2 * i : 2 * i + width]) for i in range(count)]


def test_every_frame_comes_back_like_itself_and_in_order() -> None:
    frames = clip(4)
    decoded = compress_h264(frames, 10)
    assert [frame.shape for frame in decoded] == [(48, 64, 3)] * 4
    for i, frame in enumerate(decoded):
        likeness = [psnr(frame, other) for other in frames]
        assert int(np.argmax(likeness)) == i


def test_a_higher_factor_leaves_less_of_the_picture() -> None:
    frames = clip(2)
    fine, coarse = (
        np.mean([psnr(a, b) for a, b in zip(compress_h264(frames, q), frames, strict=True)]) for q in (10, 40)
    )
    assert fine > coarse + 3


def test_the_same_frames_give_the_same_bytes() -> None:
    np.testing.assert_array_equal(compress_h264(clip(3), 30), compress_h264(clip(3), 30))


def test_frames_that_no_encoder_takes_are_refused() -> None:
    with pytest.raises(ValueError, match="even sides"):
        compress_h264([np.zeros((33, 32, 3), np.uint8)], 30)
    with pytest.raises(ValueError, match="of one size"):
        compress_h264([np.zeros((32, 32, 3), np.uint8), np.zeros((32, 34, 3), np.uint8)], 30)
    with pytest.raises(ValueError, match="of one size"):
        compress_h264([], 30)


def test_jpeg_keeps_the_channels_in_their_places() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    np.testing.assert_allclose(compress_jpeg(red, 95), red, atol=4)
