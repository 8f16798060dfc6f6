"""The masked median against an obvious slow reference, in memory and streamed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vbtools.ops.median import StreamingMedian, masked_median, to_picture

Clip = tuple[np.ndarray, np.ndarray]


def reference(frames: np.ndarray, valid: np.ndarray) -> Clip:
    _, height, width, channels = frames.shape
    plate = np.full((height, width, channels), np.nan, np.float32)
    coverage = np.zeros((height, width), np.uint32)
    for y in range(height):
        for x in range(width):
            keep = valid[:, y, x] != 0
            coverage[y, x] = keep.sum()
            if keep.any():
                plate[y, x] = np.median(frames[keep, y, x], axis=0)
    return plate, coverage


def stream(frames: np.ndarray, valid: np.ndarray, cuts: tuple[list[int], list[int]], **options: Any) -> Clip:
    median = StreamingMedian(*frames.shape[1:], **options)
    for part in split(len(frames), cuts[0]):
        median.add_coarse(frames[part], valid[part])
    median.end_coarse()
    for part in split(len(frames), cuts[1]):
        median.add_fine(frames[part], valid[part])
    return median.result()


def split(count: int, cuts: list[int]) -> Iterator[slice]:
    edges = sorted({0, count, *(cut % count for cut in cuts)})
    for start, stop in pairwise(edges):
        yield slice(start, stop)


def assert_same(got: Clip, wanted: Clip) -> None:
    assert got[0].dtype == np.float32
    assert got[1].dtype == np.uint32
    np.testing.assert_array_equal(got[0], wanted[0], strict=True)
    np.testing.assert_array_equal(got[1], wanted[1], strict=True)


def random_clip(seed: int, shape: tuple[int, int, int, int], share: float = 0.6, levels: str = "any") -> Clip:
    rng = np.random.default_rng(seed)
    if levels == "extreme":
        frames = rng.choice(np.array([0, 1, 254, 255], np.uint8), shape)
    elif levels == "narrow":  # neighbours across the edge of a coarse bin
        frames = rng.integers(126, 131, shape, dtype=np.uint8)
    else:
        frames = rng.integers(0, 256, shape, dtype=np.uint8)
    return frames, rng.random(shape[:3]) < share


@st.composite
def clips(draw: st.DrawFn) -> Clip:
    shape = (
        draw(st.integers(1, 40)), draw(st.integers(1, 5)), draw(st.integers(1, 9)), draw(st.integers(1, 4)),
    )  # fmt: skip
    frames, valid = random_clip(
        draw(st.integers(0, 2**32 - 1)),
        shape,
        draw(st.sampled_from([0.0, 0.05, 0.5, 0.95, 1.0])),
        draw(st.sampled_from(["any", "extreme", "narrow"])),
    )
    if draw(st.booleans()):
        valid[:, 0, 0] = False
    if draw(st.booleans()):
        valid = valid.astype(np.uint8) * np.uint8(draw(st.sampled_from([1, 2, 255])))
    return frames, valid


@settings(deadline=None, max_examples=150)
@given(clips())
def test_median_and_coverage_equal_the_slow_reference(clip: Clip) -> None:
    assert_same(masked_median(*clip), reference(*clip))


@settings(deadline=None, max_examples=100)
@given(clips(), st.lists(st.integers(0, 39), max_size=6), st.lists(st.integers(0, 39), max_size=6))
def test_streaming_equals_in_memory_for_any_split_into_blocks(clip: Clip, coarse: list[int], fine: list[int]) -> None:
    assert_same(stream(*clip, (coarse, fine)), reference(*clip))


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 255), st.booleans()), min_size=1, max_size=40))
def test_any_single_series_is_right_in_both_forms(series: list[tuple[int, bool]]) -> None:
    frames = np.array([value for value, _ in series], np.uint8).reshape(-1, 1, 1, 1)
    valid = np.array([keep for _, keep in series]).reshape(-1, 1, 1)
    wanted = reference(frames, valid)
    assert_same(masked_median(frames, valid), wanted)
    assert_same(stream(frames, valid, ([], [])), wanted)


def test_every_pair_of_middle_values_gives_their_mean() -> None:
    low, high = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    frames = np.stack([low, high])[..., None]
    valid = np.ones((2, 256, 256), bool)
    mean = ((low.astype(np.float32) + high) / 2)[..., None]
    np.testing.assert_array_equal(masked_median(frames, valid)[0], mean)
    np.testing.assert_array_equal(stream(frames, valid, ([], [1]))[0], mean)


@pytest.mark.parametrize("count", [254, 255, 256, 257, 509, 510, 511])
def test_frame_counts_around_a_byte_are_counted_right(count: int) -> None:
    clip = random_clip(count, (count, 2, 70, 3), 1.0)
    assert_same(masked_median(*clip), reference(*clip))
    assert_same(stream(*clip, ([], [count // 2])), reference(*clip))


@pytest.mark.parametrize("value", [0, 255])
def test_counts_beyond_uint16_are_right(value: int) -> None:
    frames = np.full((70_000, 1, 1, 1), value, np.uint8)
    valid = np.ones((70_000, 1, 1), bool)
    frames[:35_000] = 100  # the two middle values: 100 and the other
    wanted = (np.full((1, 1, 1), (100 + value) / 2, np.float32), np.full((1, 1), 70_000, np.uint32))
    assert_same(masked_median(frames, valid), wanted)
    assert_same(stream(frames, valid, ([1234], [66_000])), wanted)
    valid[0] = False
    wanted = (np.full((1, 1, 1), value, np.float32), np.full((1, 1), 69_999, np.uint32))
    assert_same(masked_median(frames, valid), wanted)
    assert_same(stream(frames, valid, ([66_000], [])), wanted)


@pytest.mark.parametrize("threads", [1, 2, 5, None])
@pytest.mark.parametrize("shape", [(9, 40, 5000, 3), (3, 5000, 67, 4), (7, 1, 130_000, 1)])
def test_a_picture_of_many_chunks_and_bands_is_covered_wholly(shape: tuple[int, ...], threads: int | None) -> None:
    frames, valid = random_clip(5, shape)  # type: ignore[arg-type]
    floats = np.where(valid[..., None], frames, np.float32(np.nan))
    sort = np.sort(floats, axis=0)  # NaN sorts last
    count = valid.sum(0)
    rank = np.repeat(count[..., None], shape[3], 2)[None]
    low = np.take_along_axis(sort, np.maximum(rank - 1, 0) // 2, 0)[0]
    high = np.take_along_axis(sort, rank // 2 * (rank > 0), 0)[0]
    wanted = ((low + high) / np.float32(2), count.astype(np.uint32))
    assert_same(masked_median(frames, valid, threads=threads), wanted)
    assert_same(stream(frames, valid, ([2], [1]), threads=threads), wanted)


@pytest.mark.parametrize(
    "form", ["reversed rows", "every second column", "time last", "fortran", "broadcast", "read-only"]
)
def test_input_of_any_strides_gives_the_same_answer_and_is_left_alone(form: str) -> None:
    frames, valid = random_clip(3, (11, 6, 10, 3))
    if form == "reversed rows":
        frames, valid = frames[:, ::-1], valid[:, ::-1]
    elif form == "every second column":
        frames, valid = frames[:, :, ::2], valid[:, :, 1::2]
    elif form == "time last":
        frames = np.ascontiguousarray(np.moveaxis(frames, 0, -1)).transpose(3, 0, 1, 2)
    elif form == "fortran":
        valid = np.asfortranarray(valid)
    elif form == "broadcast":
        valid = np.broadcast_to(valid[:, :1, :1], valid.shape)
    else:
        frames.flags.writeable = False
    before = frames.copy(), valid.copy()
    assert_same(masked_median(frames, valid), reference(frames, valid))
    assert_same(stream(frames, valid, ([4], [])), reference(frames, valid))
    np.testing.assert_array_equal(frames, before[0])
    np.testing.assert_array_equal(valid, before[1])
    assert frames.flags.writeable == (form != "read-only")


def test_large_strided_input_is_copied_in_bands_and_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vbtools.ops.median.BAND_BYTES", 1000)
    frames, valid = random_clip(8, (11, 23, 10, 3))
    frames, valid = frames[:, ::-1], valid[:, ::-1]
    assert_same(masked_median(frames, valid), reference(frames, valid))


def test_unobserved_pixels_are_nan_with_coverage_zero() -> None:
    frames, valid = random_clip(1, (5, 2, 3, 3), 1.0)
    valid[:, 1, 2] = False
    for plate, coverage in (masked_median(frames, valid), stream(frames, valid, ([], []))):
        assert np.isnan(plate[1, 2]).all()
        assert np.isnan(plate).sum() == 3
        assert coverage.tolist() == [[5, 5, 5], [5, 5, 0]]


@pytest.mark.parametrize(
    ("frames", "valid", "says"),
    [
        (np.zeros((2, 3, 4), np.uint8), np.ones((2, 3, 4), bool), r"\(2, 3, 4\); give uint8 \(T, h, w, C\)"),
        (np.zeros((2, 3, 4, 3), np.float32), np.ones((2, 3, 4), bool), "float32"),
        (np.zeros((2, 3, 4, 3), np.uint8), np.ones((2, 3, 5), bool), r"valid is \(2, 3, 5\)"),
        (np.zeros((2, 3, 4, 3), np.uint8), np.ones((2, 3, 4), np.float32), "valid is float32"),
        (np.zeros((0, 3, 4, 3), np.uint8), np.ones((0, 3, 4), bool), "no axis may be empty"),
    ],
)
def test_wrong_input_is_a_value_error_that_names_it(frames: Any, valid: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        masked_median(frames, valid)


def test_what_is_no_array_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="frames is a list"):
        masked_median([[[[1]]]], np.ones((1, 1, 1), bool))  # type: ignore[arg-type]


def test_wrong_thread_and_size_numbers_are_value_errors() -> None:
    frames, valid = random_clip(0, (2, 2, 2, 3))
    with pytest.raises(ValueError, match="threads is 0"):
        masked_median(frames, valid, threads=0)
    with pytest.raises(ValueError, match="at least 1"):
        StreamingMedian(4, 0, 3)
    with pytest.raises(ValueError, match=r"made for \(t, \*\(2, 3, 3\)\)"):
        StreamingMedian(2, 3, 3).add_coarse(frames, valid)


def test_streaming_passes_in_the_wrong_order_are_errors() -> None:
    frames, valid = random_clip(0, (4, 2, 2, 3))
    median = StreamingMedian(2, 2, 3)
    with pytest.raises(RuntimeError, match="add_fine was called in the first pass"):
        median.add_fine(frames, valid)
    with pytest.raises(RuntimeError, match="result was called in the first pass"):
        median.result()
    with pytest.raises(RuntimeError, match="before any frame"):
        median.end_coarse()
    median.add_coarse(frames, valid)
    median.end_coarse()
    with pytest.raises(RuntimeError, match="add_coarse was called after end_coarse"):
        median.add_coarse(frames, valid)
    with pytest.raises(RuntimeError, match="end_coarse was called twice"):
        median.end_coarse()
    median.add_fine(frames, valid)
    assert_same(median.result(), reference(frames, valid))
    assert_same(median.result(), reference(frames, valid))


def test_a_second_pass_over_other_data_is_an_error() -> None:
    frames, valid = random_clip(0, (6, 3, 2, 3), 1.0)

    def second_pass(other: np.ndarray, mask: np.ndarray) -> None:
        median = StreamingMedian(3, 2, 3)
        median.add_coarse(frames, valid)
        median.end_coarse()
        median.add_fine(other, mask)
        median.result()

    with pytest.raises(ValueError, match="saw 5 frames, the first 6"):
        second_pass(frames[:5], valid[:5])
    with pytest.raises(ValueError, match="saw 7 frames, the first 6"):
        second_pass(np.concatenate([frames, frames[:1]]), np.concatenate([valid, valid[:1]]))
    mask = valid.copy()
    mask[2, 1, 1] = False
    with pytest.raises(ValueError, match="valid frames at 1 pixels"):
        second_pass(frames, mask)
    with pytest.raises(ValueError, match="other values in"):
        second_pass(frames ^ np.uint8(0x80), valid)


def test_picture_rounds_half_to_even_and_is_zero_where_unobserved() -> None:
    plate = np.array([0.5, 1.5, 2.5, 253.5, 254.5, 254.75, np.nan, 90.0], np.float32).reshape(1, 8, 1)
    coverage = np.array([[2, 2, 2, 2, 2, 4, 0, 0]], np.uint32)
    picture = to_picture(plate, coverage)
    assert picture.dtype == np.uint8
    assert picture.shape == (1, 8, 1)
    assert picture.ravel().tolist() == [0, 2, 2, 254, 254, 255, 0, 0]


def test_picture_clips_and_refuses_what_is_no_number() -> None:
    seen = np.ones((1, 2), np.uint32)
    assert to_picture(np.array([[[-3.0], [300.0]]], np.float32), seen).ravel().tolist() == [0, 255]
    with pytest.raises(ValueError, match="1 values that are not finite"):
        to_picture(np.array([[[1.0], [np.nan]]], np.float32), seen)
    with pytest.raises(ValueError, match="coverage is"):
        to_picture(np.zeros((1, 3, 1), np.float32), seen)
    with pytest.raises(ValueError, match="plate is"):
        to_picture(np.zeros((1, 2), np.float32), seen)


@pytest.mark.slow
def test_median_is_at_least_thirty_times_as_fast_as_nanmedian() -> None:
    frames, valid = random_clip(0, (150, 270, 480, 3), 0.7)
    floats = np.where(valid[..., None], frames, np.float32(np.nan))
    masked_median(frames[:, :2], valid[:, :2])  # compile
    ours = []
    for _ in range(5):
        start = time.perf_counter()
        plate, _ = masked_median(frames, valid)
        ours.append(time.perf_counter() - start)
    start = time.perf_counter()
    wanted = np.nanmedian(floats, axis=0)
    ratio = (time.perf_counter() - start) / min(ours)
    np.testing.assert_array_equal(plate, wanted)
    assert ratio >= 30, f"{ratio:.0f} times as fast as np.nanmedian; at least 30 is promised"
