"""Small elements, packed as any HDF5 viewer unpacks them, by several threads: HDF5 itself packs one chunk at a time.

Deflated by Intel's ISA-L, which takes a quarter of zlib's time; what it makes takes about 5 % more space, and zlib
unpacks it (plate, background and enhanced picture of bench/study.py's clip).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, product
from typing import Any

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

LEVEL = 1
SIDE_BY_SIDE_BYTES = 256 * 1024
"""Below this, threads take longer to start than the packing."""
CHUNKS_AHEAD = 64
"""Packed chunks that may wait to be written."""


def create_deflated(group: h5py.Group, name: str, data: NDArray[Any]) -> h5py.Dataset:
    """A dataset that holds ``data``, shuffled and deflated ("gzip"), as h5py would write it, in less time.

    Args:
        data: numbers or a table, of any shape; nothing is packed where there is nothing.
    """
    if not data.size:
        return group.create_dataset(name, data=data)
    how = {"compression": "gzip", "compression_opts": LEVEL, "shuffle": True}
    if data.nbytes < SIDE_BY_SIDE_BYTES or data.dtype.kind not in "uif":
        return group.create_dataset(name, data=data, **how)
    dataset = group.create_dataset(name, shape=data.shape, dtype=data.dtype, **how)
    starts = product(*(range(0, length, step) for length, step in zip(data.shape, dataset.chunks, strict=True)))
    with ThreadPoolExecutor(_cores(), thread_name_prefix="deflate") as pool:
        while some := list(islice(starts, CHUNKS_AHEAD)):
            packed = pool.map(lambda start: _packed(data, start, dataset.chunks), some)
            for start, chunk in zip(some, packed, strict=True):
                dataset.id.write_direct_chunk(start, chunk)
    return dataset


def _packed(data: NDArray[Any], start: tuple[int, ...], sides: tuple[int, ...]) -> bytes:
    """One chunk as HDF5's filters make it: whole, zeros beyond the edge; first bytes, then second bytes, ...; zlib."""
    part = data[tuple(slice(at, at + side) for at, side in zip(start, sides, strict=True))]
    whole = part
    if part.shape != sides:
        whole = np.zeros(sides, data.dtype)
        whole[tuple(slice(length) for length in part.shape)] = part
    octets = np.ascontiguousarray(whole).reshape(-1).view(np.uint8).reshape(-1, data.dtype.itemsize)
    return bytes(isal_zlib.compress(octets.T.tobytes(), LEVEL))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
