"""Size and speed of bulk in chunks of one frame and in the stored chunks, packed in several ways, on a real clip.

    python bench/bulk.py [CLIP]
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path

import cv2
import h5py
import hdf5plugin
import numpy as np

from vbtools.backends.video import open_video
from vbtools.store.layout import CHUNK_ROWS, CHUNK_SIDE, bulk_filter

CLIP = Path(__file__).parents[2] / "shared" / "data" / "vendor" / "lfbw21_books" / "blurred_call.mp4"
FRAMES = 206
STORED = (CHUNK_ROWS, CHUNK_SIDE, CHUNK_SIDE, 3)


def main() -> int:
    """Print a line for each layout."""
    clip = Path(sys.argv[1]) if len(sys.argv) > 1 else CLIP
    if not clip.exists():
        print(f"There is no clip {clip}: name one, python bench/bulk.py CLIP")
        return 0
    with open_video(clip) as video:
        size = (960, 540)
        frames = np.stack([cv2.resize(f.rgb(), size, interpolation=cv2.INTER_AREA) for f in video.frames()][:FRAMES])
    whole = math.prod(STORED)
    ways = (
        ("bitshuffle and LZ4", (1, 128, 128, 3), hdf5plugin.Bitshuffle(cname="lz4")),
        ("bitshuffle and LZ4", STORED, hdf5plugin.Bitshuffle(nelems=whole, cname="lz4")),
        ("Zstandard", STORED, hdf5plugin.Zstd(clevel=1)),
        ("as stored", STORED, bulk_filter(STORED, frames.dtype)),
    )
    for name, chunk, packed in ways:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bulk.h5"
            begun = time.perf_counter()
            with h5py.File(path, "w") as file:
                data = file.create_dataset("frames", shape=frames.shape, dtype="u1", chunks=chunk, **packed)
                for start in range(0, len(frames), CHUNK_ROWS):
                    data[start : start + CHUNK_ROWS] = frames[start : start + CHUNK_ROWS]
            wrote = time.perf_counter() - begun
            begun = time.perf_counter()
            with h5py.File(path, "r") as file:
                for start in range(0, len(frames), CHUNK_ROWS):
                    file["frames"][start : start + CHUNK_ROWS]
            read = time.perf_counter() - begun
            size_mb = path.stat().st_size / 1e6
            print(f"{name}, chunk {chunk}: {size_mb:.0f} MB, written in {wrote:.2f} s, read in {read:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
