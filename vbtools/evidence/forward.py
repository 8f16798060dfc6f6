"""The call, made again: the clip's own person, motion, masks, blur and overlays before a room of one's choice.

Everything is taken from the project: what the clip shows of its own room is left out. Of a moving camera the affine
motion is followed; a stored flow is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.evidence.boxes import Box, boxes_by_row
from vbtools.stages.unprotected import open_regions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.store.reader import Reader

    U8 = NDArray[np.uint8]
    F32 = NDArray[np.float32]

DEFAULT_SIGMA_PX = 15.0
"""px at 720 rows: the blur of a clip of which it is not known; the middle of what products do."""
OUTLINE = 0.5
"""Person probability on the person's outline."""
ENOUGH = 64
"""Pixels of believed detail from which they tell how strongly the edge shows the room."""
CODING_POWER = 0.75
"""Bits grow with the number of pixels to this power, at equal quality: a rule of thumb of x264's users."""
BITS_PER_PIXEL = (0.02, 0.3)
"""Bounds of a call's: what lies outside was not sent by a conferencing product."""
STILL_PX = 2.0
"""px at 720 rows up to which a camera's estimated motion is taken for none: the estimate itself errs by half a px."""
CRF = 28.0
"""x264's quality where the recording's bit rate is not known."""
AHEAD = 12
"""Frames whose person is made while earlier ones are composed and coded."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How the product protects the room.

    Attributes:
        sigma: of its Gaussian, px at the clip's own size.
        whole: the whole frame is blurred; False: the room alone, without the person.
        relative: (BINS,) float32: the room's opacity by distance to the mask, against the strongest.
        peak: opacity at the strongest, 0-1; 0: the edge shows nothing.
        tighter_px: px at 720 rows by which the mask is drawn in.
        hardness: opacity below which nothing is shown, 0-1.
        lag: frames by which the mask is later than the person, 0 or more.
        keep: weight of the mask before in the next, 0-1: 0 does not average over time.
        fail_closed: what the clip shows unprotected is blurred.
        solid: colour in the room's place, instead of the blur.
        replaced: the clip's own plate in the room's place: its background is a picture.
    """

    sigma: float
    whole: bool
    relative: F32
    peak: float
    tighter_px: float = 0.0
    hardness: float = 0.0
    lag: int = 0
    keep: float = 0.0
    fail_closed: bool = False
    solid: tuple[int, int, int] | None = None
    replaced: bool = False

    def other(self, **changes: Any) -> Setting:
        """The same but for what is named."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Clip:
    """What a project tells of its call, at a size of one's choice.

    Attributes:
        size: (H, W) of what is made, px; both even.
        own_size: (H, W) of the project's frames.
        fps: frames a second, of the median step between frames.
        count: frames.
        threshold: person probability of the mask's edge, 0-1.
        plate: (H, W, 3) uint8, the clip's own blurred plate.
        overlays: (H, W) uint8, 1 where something is drawn over the picture.
        transform: (T, 2, 3) float64, from the room to each frame, px of ``size``.
        unprotected: by frame, the boxes (px of ``size``) in which it shows the room as it is.
        bit_rate: bit/s of the recording at ``size``; None unknown.
        setting: the clip's own.
        notes: what is not known, and what was taken instead.
    """

    inputs: Reader
    size: tuple[int, int]
    own_size: tuple[int, int]
    fps: float
    count: int
    threshold: float
    plate: U8
    overlays: U8
    transform: NDArray[np.float64]
    unprotected: Mapping[int, Sequence[Box]]
    bit_rate: int | None
    setting: Setting
    notes: tuple[str, ...] = field(default=())

    @property
    def scale(self) -> float:
        """Rows of what is made against those of the project's frames."""
        return self.size[0] / self.own_size[0]

    @cached_property
    def moves(self) -> bool:
        """The camera moves."""
        import numpy as np

        height, width = self.size
        corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
        return bool(np.abs(self.transform @ corners - corners[:2]).max() > STILL_PX * height / 720)

    @classmethod
    def of(cls, inputs: Reader, most_rows: int) -> Clip:
        """Read a project with extract, segment, align and aggregate (method leak); at most so many rows.

        Raises:
            StageMissingError: one of them has not been run.
            ProjectError: aggregate's method is not leak.
        """
        import cv2
        import numpy as np

        count, height, width = inputs.dataset("extract", "frames").shape[:3]
        size = fitted(height, width, most_rows)
        plate = np.nan_to_num(inputs.array("aggregate", "plate"))
        shrunk = cv2.resize(plate, size[::-1], interpolation=cv2.INTER_AREA)
        overlays = cv2.resize(inputs.array("aggregate", "overlays"), size[::-1], interpolation=cv2.INTER_NEAREST)
        setting, notes = own_setting(inputs)
        record = inputs.record("aggregate")
        return cls(
            inputs=inputs, size=size, own_size=(height, width), fps=_fps(inputs.array("extract", "time")), count=count,
            threshold=float(record.parameters["threshold"]) if record else 0.3,
            plate=np.clip(np.rint(shrunk), 0, 255).astype(np.uint8), overlays=overlays,
            transform=_transform(inputs, size[0] / height),
            unprotected=boxes_by_row(open_regions(inputs), (height, width), size),
            bit_rate=_bit_rate(inputs, (height, width), size), setting=setting, notes=tuple(notes),
        )  # fmt: skip


def fitted(height: int, width: int, most_rows: int) -> tuple[int, int]:
    """Even (rows, columns) of the same shape, of at most so many rows."""
    rows = min(height, most_rows)
    return max(2, rows // 2 * 2), max(2, round(width * rows / height / 2) * 2)


def own_setting(inputs: Reader) -> tuple[Setting, list[str]]:
    """How the clip itself protects the room, as aggregate learned it; and in words what is not known."""
    import numpy as np

    from vbtools.stages.aggregate import is_not_blurred

    rows = inputs.dataset("aggregate", "coverage").shape[0]
    notes = []
    blur = inputs.table("aggregate", "blur")[0] if inputs.has("aggregate", "blur") else {}
    sigma, whole = float(blur.get("sigma", np.nan)), int(blur.get("whole", -1)) != 0
    relative, peak = _opacity(inputs)
    replaced = is_not_blurred(inputs)
    if replaced:
        sigma, peak = 0.0, 0.0
        notes.append("the background is sharp: the replay keeps it as a picture in the room's place")
    elif not np.isfinite(sigma):
        sigma = DEFAULT_SIGMA_PX * rows / 720
        notes.append(f"how wide the blur is cannot be told: the replay takes {sigma:.1f} px")
    if not peak and not replaced:
        notes.append("the person's edge shows nothing that can be measured: in the replay it shows nothing")
    return Setting(sigma, whole, relative, peak, replaced=replaced), notes


def _opacity(inputs: Reader) -> tuple[F32, float]:
    """The room's opacity by distance, relative, and at its strongest: that of the places whose detail is believed."""
    import numpy as np

    from vbtools.ops.fringe import BINS

    relative = np.zeros(BINS, np.float32)
    if inputs.has("aggregate", "opacity"):
        relative = inputs.array("aggregate", "opacity")
    exposure, confidence = inputs.array("aggregate", "exposure"), inputs.array("aggregate", "confidence")
    for least in (0.8, 0.5):
        believed = (confidence > least) & (exposure > 0)  # the plate is believed too, where a weak blur shows the room
        if np.count_nonzero(believed) >= ENOUGH and relative.any():
            return relative, float(np.clip(np.median(exposure[believed]), 0, 1))
    return relative, 0.0


def _fps(time: NDArray[np.float64]) -> float:
    import numpy as np

    return float(1 / np.median(np.diff(time))) if len(time) > 1 else 25.0


def _transform(inputs: Reader, scale: float) -> NDArray[np.float64]:
    """The affine maps from the room to the frames at another size; none where align does not know."""
    import numpy as np

    maps = np.array(inputs.array("align", "transform"), np.float64)
    maps[~np.isfinite(maps).all(axis=(1, 2))] = np.eye(2, 3)
    maps[:, :, 2] *= scale
    return maps


def _bit_rate(inputs: Reader, own: tuple[int, int], size: tuple[int, int]) -> int | None:
    """bit/s that give the replay the recording's quality; None where the recording's own length is not known."""
    record = inputs.record("extract")
    if record is None or record.source is None or record.parameters.get("end") or record.parameters.get("start"):
        return None
    time = inputs.array("extract", "time")
    seconds = float(time[-1]) + 1 / _fps(time)
    pixels, made = own[0] * own[1], size[0] * size[1]
    rate = 8 * record.source.size / seconds * (made / pixels) ** CODING_POWER
    least, most = (bits * made * _fps(time) for bits in BITS_PER_PIXEL)
    return int(min(max(rate, least), most))


@dataclass(frozen=True, slots=True)
class Layer:
    """The person in one frame: colours (H, W, 3) uint8, alpha (H, W) float32, px to the mask (H, W) float32."""

    number: int
    person: U8
    alpha: F32
    distance: F32


def layers(clip: Clip) -> Iterator[Layer]:
    """The person of every frame, in order; a few are made ahead, in threads."""
    from collections import deque
    from concurrent.futures import Future, ThreadPoolExecutor

    frames = (frame for block in clip.inputs.blocks("extract", "frames") for frame in block)
    people = (plane for block in clip.inputs.blocks("segment", "person") for plane in block)
    waiting: deque[Future[Layer]] = deque()
    with ThreadPoolExecutor(2, thread_name_prefix="layers") as pool:
        for number, pair in enumerate(zip(frames, people, strict=True)):
            waiting.append(pool.submit(_layer, clip, number, *pair))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _layer(clip: Clip, number: int, frame: U8, probability: U8) -> Layer:
    import numpy as np

    from vbtools.ops.forward import CORE_PX, REACH_PX, SMOOTH_PX, extended, person_alpha
    from vbtools.ops.fringe import box_around

    unit, frame = clip.size[0] / 720, at_size(frame, clip.size)
    mask, outline = (
        mask_distance(probability, clip.size, threshold, REACH_PX * unit) for threshold in (clip.threshold, OUTLINE)
    )
    core = (outline <= -CORE_PX * unit).astype(np.uint8)
    alpha = person_alpha(_smooth(outline, unit), unit)
    box = box_around(((alpha > 0) | (core > 0)).astype(np.uint8), int(4 * SMOOTH_PX * unit) + 1)
    if box is not None:  # elsewhere nothing of the person is shown
        frame = frame.copy()
        frame[box.slices] = extended(np.ascontiguousarray(frame[box.slices]), core[box.slices], SMOOTH_PX * unit)
    return Layer(number, frame, alpha, mask)


def at_size(frame: U8, size: tuple[int, int]) -> U8:
    """A frame (H, W, 3) uint8 shrunk to (rows, columns), by area."""
    import cv2
    import numpy as np

    if frame.shape[:2] == size:
        return frame
    return np.asarray(cv2.resize(frame, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def mask_distance(probability: U8, size: tuple[int, int], threshold: float, reach: float | None = None) -> F32:
    """px of a frame of ``size`` to the mask of a probability (h, w) uint8, (H, W) float32, negative within.

    ``reach`` as :func:`vbtools.ops.fringe.signed_distance` has it.
    """
    import cv2
    import numpy as np

    from vbtools.ops.fringe import signed_distance
    from vbtools.ops.masks import level

    large = cv2.resize(probability, size[::-1], interpolation=cv2.INTER_LINEAR)
    return signed_distance((np.asarray(large, np.uint8) >= level(threshold)).astype(np.uint8), reach)


def _smooth(distance: F32, unit: float) -> F32:
    """Without the steps of the segmenter's coarse grid, which no person's outline has."""
    import cv2
    import numpy as np

    return np.asarray(cv2.GaussianBlur(distance, (0, 0), max(1.0, 2 * unit)), np.float32)


class Forward:
    """Frames of the call before other rooms, under a setting.

    Args:
        clip: the call.
        rooms: (H, W, 3) uint8 each, of the clip's size.
        setting: the clip's own where not given.
    """

    def __init__(self, clip: Clip, rooms: Sequence[U8], setting: Setting | None = None) -> None:
        import numpy as np

        from vbtools.ops.forward import blurred

        self.clip, self.setting = clip, clip.setting if setting is None else setting
        self.sigma = self.setting.sigma * clip.scale
        self._rooms = [room.astype(np.float32) for room in rooms]
        self._blurred = [blurred(room, self.sigma) for room in self._rooms]

    def frame(self, layer: Layer, opacity: F32, number: int) -> U8:
        """One frame before one of the rooms, (H, W, 3) uint8 RGB.

        Args:
            layer: the person in it.
            opacity: (H, W) float32, 0-1: how much of the clean frame the product shows; see :class:`Opacity`.
            number: which room.
        """
        import numpy as np

        from vbtools.ops.forward import shown

        clip = self.clip
        clean, hidden = self._parts(layer, number)
        unprotected = () if self.setting.fail_closed else clip.unprotected.get(layer.number, ())
        if unprotected:
            hidden = hidden.copy()  # it is kept for the next frames
        for box in unprotected:
            hidden[box] = clean[box]
        out = np.empty((*clip.size, 3), np.uint8)
        shown(clean, hidden, opacity, clip.overlays, clip.plate, out)
        return out

    def _parts(self, layer: Layer, number: int) -> tuple[F32, F32]:
        """The clean frame, and what hides the room in it."""
        import numpy as np

        from vbtools.ops.forward import before, blurred

        room, behind = self._moved(self._rooms[number], layer), self._moved(self._blurred[number], layer)
        clean = np.empty_like(room)
        before(layer.person, layer.alpha, room, clean)
        if self.setting.replaced:
            return clean, self.clip.plate.astype(np.float32)
        if self.setting.solid is not None:
            return clean, np.broadcast_to(np.array(self.setting.solid, np.float32), clean.shape)
        return clean, blurred(clean, self.sigma) if self.setting.whole else behind

    def _moved(self, picture: F32, layer: Layer) -> F32:
        """A picture where the camera sees it in this frame."""
        import cv2
        import numpy as np

        if not self.clip.moves:
            return picture
        placed = self.clip.transform[layer.number]
        height, width = picture.shape[:2]
        warped = cv2.warpAffine(picture, placed, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.float32)


class Opacity:
    """The opacity of a setting's mask, frame after frame: late, and averaged over time, as the setting has it.

    Args:
        setting: the product's.
        unit: rows / 720 of the frames.
    """

    def __init__(self, setting: Setting, unit: float) -> None:
        from collections import deque

        from vbtools.ops.forward import opacity_table

        self._table = opacity_table(setting.relative, setting.peak, setting.tighter_px, setting.hardness)
        self._keep, self._unit = setting.keep, unit
        self._held: deque[U8] = deque(maxlen=setting.lag + 1)
        self._before: F32 | None = None

    def next(self, layer: Layer) -> F32:
        """That of the next frame, (H, W) float32, 0-1; of a late mask's first frames it is the first one's."""
        import cv2
        import numpy as np

        from vbtools.ops.forward import entries

        self._held.append(entries(layer.distance, self._unit))
        found = np.asarray(cv2.LUT(self._held[0], self._table), np.float32)
        if self._keep and self._before is not None:
            found = np.float32(self._keep) * self._before + np.float32(1 - self._keep) * found
        self._before = found
        return found


def record(forwards: Sequence[Forward], paths: Sequence[Sequence[Path]], advance: Any = None) -> None:
    """Write recordings of the call, as x264 sends it at about the clip's own bit rate.

    The person of each frame is made once for all of them.

    Args:
        forwards: make the frames, of one clip: one a setting.
        paths: of the recordings: of each setting, one a room.
        advance: called after each frame.
    """
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import ExitStack

    from vbtools.backends.video_writer import VideoWriter
    from vbtools.ops.threads import opencv_threads

    clip = forwards[0].clip
    rate: dict[str, Any] = {"crf": CRF} if clip.bit_rate is None else {"bit_rate": clip.bit_rate}
    height, width = clip.size
    opacities = [Opacity(forward.setting, height / 720) for forward in forwards]
    with ExitStack() as stack:
        stack.enter_context(opencv_threads(1))
        tracks = [
            (at, number, stack.enter_context(
                VideoWriter(path, width, height, clip.fps, options={"preset": "faster"}, **rate)
            ))
            for at, of_rooms in enumerate(paths) for number, path in enumerate(of_rooms)
        ]  # fmt: skip

        pool = stack.enter_context(ThreadPoolExecutor(2, thread_name_prefix="encode"))

        def write(layer: Layer, planes: Sequence[F32], at: int, number: int, writer: VideoWriter) -> None:
            writer.write(forwards[at].frame(layer, planes[at], number))

        for layer in layers(clip):
            planes = [opacity.next(layer) for opacity in opacities]
            for done in [pool.submit(write, layer, planes, *track) for track in tracks]:
                done.result()
            if advance is not None:
                advance()
