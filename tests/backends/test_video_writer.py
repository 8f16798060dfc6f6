"""The writer of small recordings."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vbtools.backends.video_writer import VideoWriter


@pytest.mark.parametrize("size", [(270, 480), (240, 432), (360, 640)])
def test_the_same_frames_give_the_same_bytes_again(size: tuple[int, int], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [
        cv2.GaussianBlur(rng.integers(0, 255, (*size, 3), np.uint8), (0, 0), 2 + number % 3) for number in range(30)
    ]
    written = set()
    for number in range(8):
        used = [rng.integers(0, 255, 300_000 + 7 * number, np.uint8) for _ in range(9)]
        del used  # memory that an encoder gets is not clean
        path = tmp_path / "call.mp4"
        with VideoWriter(path, size[1], size[0], 25, bit_rate=300_000, options={"preset": "faster"}) as writer:
            for frame in frames:
                writer.write(frame)
        written.add(path.read_bytes())
    assert len(written) == 1


def test_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "call.mp4", 32, 16, 25) as writer, pytest.raises(ValueError, match="the recording is"):
        writer.write(np.zeros((16, 30, 3), np.uint8))
