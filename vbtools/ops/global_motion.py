"""One motion of a whole background, measured from brightness to a small fraction of a pixel.

Lucas and Kanade's least squares (IJCAI 1981) over a pyramid, in the inverse compositional form of Baker and Matthews
("Lucas-Kanade 20 Years On", IJCV 56, 2004), so that the gradients are those of the reference and are made once. It
needs no corners: a blurred room has none, but it has slopes everywhere.

**Places vote, not pixels.** Each tile of the picture says how it is displaced and how well it can tell, and none is
believed to better than :data:`_TRUST`. The motion is what most tiles agree on (Tukey's biweight). So a sharp clock or
name label over a moving, blurred room counts for the tiles that it covers and not for its contrast, whether it changes
or not. Each tile has a brightness of its own, so that a lamp, or the halo of a blurred person, is no motion.

Motion is a backward map, as in ``vbtools/ops/warp.py``: reference pixel x shows the frame's pixel ``A(x)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

NO_COMMON = "no background in common with the reference frame"
ANOTHER = "shows another picture than the reference frame"
NO_TEXTURE = "too little texture to tell its motion"

ALIKE = 0.5
"""Mean correlation of the tiles from which two pictures show the same thing: 0 for unrelated ones, and above 0.98 on
every frame of shared/data/vendor (``bench/align.py`` prints it)."""

_SMOOTH = 1.0  # px: makes linear interpolation exact enough, and takes the top off noise and blocks
_SMOOTHED_NOISE = 0.28  # what that leaves of white noise: 1 / (2 sqrt(pi) sigma)
_MARGIN = 2  # px around what is not background that smoothing has mixed with it
_TILES = 15  # along the longer side: few enough to hold slopes of strong blur, enough to outvote an overlay
_LEAST_TILE = 8  # px
_LEAST_SHARE = 0.2  # of a tile has to be background for a vote
_LEAST_VOTES = 3
_LEAST_OVERLAP = 0.1  # of the reference's tiles have to be seen in the frame
_LEAST_SIDE = 48  # px: no pyramid level below this
_MOST_LEVELS = 5
_TRUST = 0.15  # px
_CORRELATED = 16.0  # pixels that hold as much as one independent one: smoothing, and the 4x4 blocks of H.264
_FLOOR = 0.05  # gray levels: noise below the rounding of 8 bits
_FLAT = 1.0  # gray levels: a tile whose standard deviation is lower has no texture
_NOISE_FACTOR = 3.0  # ... or lower than so many times the noise
_DAMPING = 0.25  # 1 / px^2: keeps turn and zoom at rest where nothing tells them
_TUKEY = 4.685  # 95 % efficiency on Gaussian residuals: Holland and Welsch, Comm. Statist. A 6 (1977) 813-827
_MAD_TO_SIGMA = 1.4826
_LEAST_SCALE = 0.1
_LEAST_DEPTH = 1e-6
_ABOUT = 128.0  # gray level: sums are of differences to it, so that single precision holds them
_VOTE_ROUNDS = 15
_ROUNDS = 12
_SETTLED = 0.02  # px of the finest level
_COARSELY = 0.1  # px of a coarser one
_SURE = 0.9  # likeness from which the finest level alone is believed
_NEAR = 2.0  # px: ... if it moved less than this
_SPREAD_SHARE = 75  # percentile

_N, _U, _V, _UU, _UV, _VV, _R, _RU, _RV, _RR, _F, _FU, _FV, _FF, _RF = range(15)


@dataclass(frozen=True, slots=True)
class Fit:
    """What was found of one frame.

    Attributes:
        transform: (3, 3) float64, reference to frame, px of the grid given; its last row is (0, 0, 1) unless a
            homography was given as start.
        problem: why it cannot be believed: :data:`NO_COMMON`, :data:`ANOTHER` or :data:`NO_TEXTURE`; else empty.
        likeness: mean correlation, -1 to 1, of the tiles with what they then show.
        spread: px: three of four tiles that can tell are displaced by less than this from where the transform puts
            them; what no affine map explains. NaN where too few can tell.
    """

    transform: F64
    problem: str
    likeness: float
    spread: float


class GlobalMotion:
    """Measures frames against one reference.

    Args:
        gray: (h, w) float32, gray levels 0..255: the reference.
        background: (h, w) bool: its pixels that count.
    """

    def __init__(self, gray: F32, background: Mask) -> None:
        self.size = (gray.shape[0], gray.shape[1])
        flat = max(_FLAT, _NOISE_FACTOR * _SMOOTHED_NOISE * _noise(gray, background))
        self._levels = [_Level(picture, known, flat) for picture, known in _pyramid(gray, background, _MOST_LEVELS)]

    @property
    def textured(self) -> float:
        """Share, 0..1, of the reference's tiles of background that have any texture by which to tell a motion."""
        return self._levels[0].textured

    def measure(self, gray: F32, background: Mask, start: F64 | None = None) -> Fit:
        """The motion of one frame; the frame's size and grid are the reference's.

        The finest level is tried by itself first: for a camera that stands still or trembles it is enough.

        Args:
            gray: (h, w) float32, gray levels 0..255.
            background: (h, w) bool: pixels of the frame that count.
            start: (3, 3) float64: an affine map or homography to begin at; the identity where not given.
        """
        begin = np.eye(3) if start is None else start
        picture = _pyramid(gray, background, 1)[0]
        near = self._descend([picture], begin)
        if near.likeness >= _SURE and self.displacement(np.linalg.inv(begin) @ near.transform) < _NEAR:
            return near
        far = self._descend(_pyramid(gray, background, len(self._levels)), begin)
        return far if far.likeness > near.likeness else near

    def likeness(self, gray: F32, known: Mask) -> Fit:
        """How alike the reference and a frame (h, w) are that has been brought onto it already, where it is known."""
        level = self._levels[0]
        picture, sure = _pyramid(gray, known, 1)[0]
        return self._judge(level, level.sums(picture, sure, np.eye(3)), np.eye(3), 0.0)

    def displacement(self, transform: F64) -> float:
        """Root mean square, px, of how far a transform (2, 3) or (3, 3) moves the reference's background."""
        points = self._levels[0].points
        if not len(points):
            return 0.0
        moved = points @ transform.T
        if transform.shape[0] == 3:
            moved = moved[:, :2] / moved[:, 2:]
        return float(np.sqrt(((moved[:, :2] - points[:, :2]) ** 2).sum(axis=1).mean()))

    def _descend(self, pictures: list[tuple[F32, Mask]], begin: F64) -> Fit:
        """From the coarsest of the levels given to the finest."""
        transform, spread = begin, 0.0
        perspective = bool(begin[2, :2].any())
        for number in range(len(pictures) - 1, -1, -1):
            level = self._levels[number]
            transform = regrid(transform, self.size, level.size)
            for _ in range(_ROUNDS):
                sums = level.sums(*pictures[number], transform)
                step = level.step(sums, perspective)
                if step is None:
                    break
                spread = step.spread
                if number and step.moved < _COARSELY:
                    break
                transform = transform @ np.linalg.inv(step.transform)
                if step.moved < _SETTLED:
                    break
            transform = regrid(transform, level.size, self.size)
        return self._judge(level, sums, transform, spread)

    def _judge(self, level: _Level, sums: F64, transform: F64, spread: float) -> Fit:
        voting = sums[sums[:, _N] >= _LEAST_SHARE * level.side**2]
        if level.votes < _LEAST_VOTES:
            return Fit(transform, NO_TEXTURE, 0.0, spread)
        if len(voting) < max(_LEAST_VOTES, _LEAST_OVERLAP * level.votes):
            return Fit(transform, NO_COMMON, 0.0, spread)
        across, one, other = (_within(voting, a, b, ab) for a, b, ab in ((_R, _F, _RF), (_R, _R, _RR), (_F, _F, _FF)))
        size = voting[:, _N] * level.flat**2
        textured = (one > size) | (other > size)
        if not textured.any():
            return Fit(transform, NO_TEXTURE, 0.0, spread)
        correlation = across / np.sqrt(np.maximum(one, size) * np.maximum(other, size))
        likeness = float(correlation[textured].mean())
        return Fit(transform, "" if likeness >= ALIKE else ANOTHER, likeness, spread)


@dataclass(frozen=True, slots=True)
class _Step:
    """How a frame that was brought to the reference still lies to it: (3, 3); rms px; px."""

    transform: F64
    moved: float
    spread: float


class _Level:
    """One level of the reference's pyramid: the picture, its slopes and its tiles."""

    def __init__(self, gray: F32, known: Mask, flat: float) -> None:
        self.size = (gray.shape[0], gray.shape[1])
        self.flat = flat
        self._gray, self._known = gray, known
        slopes = [cv2.Sobel(gray, cv2.CV_32F, *d, ksize=3, scale=1 / 8) for d in ((1, 0), (0, 1))]
        self._slopes = np.stack(slopes).astype(np.float32)
        self.side = max(_LEAST_TILE, -(-max(self.size) // _TILES))
        self._tiles = (-(-self.size[0] // self.side), -(-self.size[1] // self.side))
        row, column = np.divmod(np.arange(self._tiles[0] * self._tiles[1]), self._tiles[1])
        middle = [(np.minimum((at + 1) * self.side, end) + at * self.side - 1) / 2
                  for at, end in ((column, self.size[1]), (row, self.size[0]))]  # fmt: skip
        self._middle = np.stack([*middle, np.ones(len(row))], axis=1)
        counted = np.add.reduceat(np.add.reduceat(known, np.arange(0, self.size[0], self.side), axis=0, dtype=np.int64),
                                  np.arange(0, self.size[1], self.side), axis=1).ravel()  # fmt: skip
        self.points = self._middle[counted >= _LEAST_SHARE * self.side**2]
        self.votes = len(self.points)
        own = self.sums(gray, known, np.eye(3))
        own = own[own[:, _N] >= _LEAST_SHARE * self.side**2]
        self.textured = float((_within(own, _R, _R, _RR) > own[:, _N] * flat**2).mean()) if len(own) else 0.0
        self._span = max(self.size) / 2
        self._normal = np.diag([1 / self._span, 1 / self._span, 1.0])
        self._normal[:2, 2] = -(self.size[1] - 1) / (2 * self._span), -(self.size[0] - 1) / (2 * self._span)

    def sums(self, gray: F32, known: Mask, transform: F64) -> F64:
        """Sums (tiles, 15) over the pixels of each tile that count in both, the frame looked up by a (3, 3) map."""
        sums = np.zeros((*self._tiles, 15))
        _sum_tiles(self._gray, self._slopes, self._known, gray, known, transform, self.side, sums)
        return sums.reshape(-1, 15)

    def step(self, sums: F64, perspective: bool) -> _Step | None:
        """What most tiles agree on, an affine map or a homography; None where too few can vote."""
        voting = sums[:, _N] >= _LEAST_SHARE * self.side**2
        if voting.sum() < _LEAST_VOTES:
            return None
        direction, seen, weight = _votes(sums[voting])
        place = self._middle[voting] @ self._normal.T
        terms = _displacements(place, perspective)
        design = np.einsum("nvi,nik->nvk", direction, terms).reshape(len(seen), -1)
        solved = _agree(design, seen, weight)
        moved = float(np.sqrt(((terms @ solved) ** 2).sum(axis=1).mean()))
        left = np.abs(seen - design @ solved)[weight > 0.5 / _TRUST**2]
        spread = float(np.percentile(left, _SPREAD_SHARE)) if left.size >= 2 * _LEAST_VOTES else math.nan
        motion = np.zeros(9)
        motion[: len(solved)] = solved
        motion[6:] *= -1
        transform = np.linalg.inv(self._normal) @ (np.eye(3) + motion.reshape(3, 3) / self._span) @ self._normal
        return _Step(transform / transform[2, 2], moved, spread)


def _displacements(place: F64, perspective: bool) -> F64:
    """How places (n, 3), in units of half the longer side, move with each number of a small motion: (n, 2, 6 or 8)."""
    terms = np.zeros((len(place), 2, 8 if perspective else 6))
    terms[:, 0, :3] = terms[:, 1, 3:6] = place
    if perspective:
        terms[:, :, 6:] = place[:, :2, None] * place[:, None, :2]
    return terms


def _votes(sums: F64) -> tuple[F64, F64, F64]:
    """What each tile says, along the two main directions of its slopes.

    Returns:
        direction: (n, 2, 2) unit vectors, one a row; seen: (2n,) displacement along them, px; weight: (2n,) 1/px^2.
    """
    count = sums[:, _N]
    own, others = _within(sums, _R, _R, _RR), _within(sums, _F, _F, _FF)
    ratio = max(float(own.sum()), 1e-9) / max(float(others.sum()), 1e-9)
    gain = min(max(ratio**0.5, 0.5), 2.0)  # of an automatic exposure
    normal = np.empty((len(sums), 2, 2))
    normal[:, 0, 0] = _within(sums, _U, _U, _UU)
    normal[:, 0, 1] = normal[:, 1, 0] = _within(sums, _U, _V, _UV)
    normal[:, 1, 1] = _within(sums, _V, _V, _VV)
    right = np.stack(
        [gain * _within(sums, _F, k, fk) - _within(sums, _R, k, rk) for k, fk, rk in ((_U, _FU, _RU), (_V, _FV, _RV))],
        axis=1,
    )
    error = gain**2 * others + own - 2 * gain * _within(sums, _R, _F, _RF)
    strength, vector = np.linalg.eigh(normal)
    strength = np.maximum(strength, 1e-9)
    seen = np.einsum("nij,ni->nj", vector, right) / strength
    variance = np.maximum(error - (seen**2 * strength).sum(axis=1), 0) / count + _FLOOR**2
    weight = 1 / (variance[:, None] * _CORRELATED / strength + _TRUST**2)
    return vector.transpose(0, 2, 1), seen.ravel(), weight.ravel()


def _agree(design: F64, seen: F64, weight: F64) -> F64:
    """Numbers (k,) so that ``design (m, k) @ them`` is ``seen (m,)``, by reweighted least squares."""
    damping = np.diag([_DAMPING, _DAMPING, 1e-6, _DAMPING, _DAMPING, 1e-6, _DAMPING, _DAMPING][: design.shape[1]])
    solved: F64 = np.zeros(design.shape[1])
    robust = np.ones_like(weight)
    telling = weight > 0.05 * weight.max()
    for _ in range(_VOTE_ROUNDS):
        scaled = design * (weight * robust)[:, None]
        update = np.asarray(np.linalg.solve(scaled.T @ design + damping, scaled.T @ seen), np.float64)
        settled = np.abs(update - solved).max() < 1e-3
        solved = update
        if settled:
            break
        off = np.abs(seen - design @ solved) * np.sqrt(weight)
        scale = max(_MAD_TO_SIGMA * float(np.median(off[telling])), _LEAST_SCALE)
        robust = np.clip(1 - (off / (_TUKEY * scale)) ** 2, 0, None) ** 2
    return solved


def _within(sums: F64, one: int, other: int, product: int) -> F64:
    """Sum of products (n,) about the tile's own means."""
    return np.asarray(sums[:, product] - sums[:, one] * sums[:, other] / sums[:, _N])


def regrid(transform: F64, grid: tuple[int, int], size: tuple[int, int]) -> F64:
    """A map (3, 3) written for a grid (gh, gw) rewritten for another one (H, W) over the same picture."""
    if grid == size:
        return transform
    scale = np.array([size[1] / grid[1], size[0] / grid[0]])
    to = np.diag([scale[0], scale[1], 1.0])
    to[:2, 2] = 0.5 * scale - 0.5
    moved = to @ transform @ np.linalg.inv(to)
    return np.asarray(moved / moved[2, 2])


def nearest_affine(homography: F64, size: tuple[int, int]) -> F64:
    """The affine map (2, 3) that is least squares nearest to a homography (3, 3) over a picture of ``size`` (H, W)."""
    y, x = (grid.ravel() for grid in np.meshgrid(*(np.linspace(0, side - 1, 9) for side in size), indexing="ij"))
    points = np.stack([x, y, np.ones_like(x)], axis=1)
    moved = points @ homography.T
    fitted, *_ = np.linalg.lstsq(points, moved[:, :2] / moved[:, 2:], rcond=None)
    return np.asarray(fitted.T)


def _pyramid(gray: F32, known: Mask, levels: int) -> list[tuple[F32, Mask]]:
    """The picture smoothed, then halved again and again; a pixel with anything unknown in it is unknown."""
    around = np.ones((2 * _MARGIN + 1, 2 * _MARGIN + 1), np.uint8)
    known = np.asarray(cv2.erode(known.view(np.uint8), around, borderType=cv2.BORDER_CONSTANT, borderValue=1))
    known = known.view(np.bool_)
    gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), _SMOOTH))
    pictures = [(gray, known)]
    while len(pictures) < levels and min(gray.shape) >= 2 * _LEAST_SIDE:
        sides = ((gray.shape[1] + 1) // 2, (gray.shape[0] + 1) // 2)
        share = cv2.resize(known.astype(np.float32), sides, interpolation=cv2.INTER_AREA)
        gray = np.asarray(cv2.resize(cv2.GaussianBlur(gray, (0, 0), _SMOOTH), sides, interpolation=cv2.INTER_AREA))
        known = np.asarray(share) > 0.999
        pictures.append((gray, known))
    return pictures


def _noise(gray: F32, known: Mask) -> float:
    """Standard deviation of white noise: Immerkaer, "Fast Noise Variance Estimation", CVIU 64 (1996), by the median."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    found = np.abs(np.asarray(cv2.filter2D(gray, cv2.CV_32F, kernel)))[known]
    return _MAD_TO_SIGMA * float(np.median(found)) / 6 if found.size else 0.0


@njit(nogil=True, cache=True)
def _sum_tiles(reference, slopes, reference_known, frame, frame_known, map_, side, sums):
    """Add up, tile by tile, over the pixels where both count; row by row, so that adding up needs no branches."""
    height, width = reference.shape
    value, weight = np.empty(width, np.float32), np.empty(width, np.float32)
    moves = not np.array_equal(map_, np.eye(3))
    for y in range(height):
        if moves:
            _look_up_row(frame, frame_known, map_, y, value, weight)
        else:
            for x in range(width):
                value[x] = frame[y, x] - np.float32(_ABOUT)
                weight[x] = frame_known[y, x]
        for x in range(width):
            weight[x] *= reference_known[y, x]
        for tile in range(sums.shape[1]):
            run = slice(tile * side, min((tile + 1) * side, width))
            _add_run(
                reference[y, run], slopes[0, y, run], slopes[1, y, run], value[run], weight[run], sums[y // side, tile]
            )


@njit(nogil=True, cache=True)
def _look_up_row(frame, known, map_, y, value, weight):
    """The frame's values (w,), about 128, where a row of the reference lies in it, bilinear; weight 0 where unknown."""
    height, width = frame.shape
    for x in range(width):
        value[x] = weight[x] = 0
        w = map_[2, 0] * x + map_[2, 1] * y + map_[2, 2]
        if w < _LEAST_DEPTH:
            continue
        at_x = (map_[0, 0] * x + map_[0, 1] * y + map_[0, 2]) / w
        at_y = (map_[1, 0] * x + map_[1, 1] * y + map_[1, 2]) / w
        if not (0 <= at_x <= width - 1 and 0 <= at_y <= height - 1):
            continue
        left, top = int(at_x), int(at_y)
        along, down = np.float32(at_x - left), np.float32(at_y - top)
        right, bottom = left + (along > 0), top + (down > 0)
        if known[top, left] and known[top, right] and known[bottom, left] and known[bottom, right]:
            upper = frame[top, left] + (frame[top, right] - frame[top, left]) * along
            lower = frame[bottom, left] + (frame[bottom, right] - frame[bottom, left]) * along
            value[x] = upper + (lower - upper) * down - np.float32(_ABOUT)
            weight[x] = 1


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def _add_run(reference, slope_x, slope_y, value, weight, total):
    """Add the sums of a row's pixels in one tile to ``total`` (15,), in the order of ``_N``, ``_U``, ..."""
    n = su = sv = uu = uv = vv = sr = ru = rv = rr = sf = fu = fv = ff = rf = np.float32(0)
    for x in range(len(reference)):
        one = weight[x]
        r = (reference[x] - np.float32(_ABOUT)) * one
        f = value[x] * one
        u, v = slope_x[x] * one, slope_y[x] * one
        n += one
        su += u
        sv += v
        uu += u * u
        uv += u * v
        vv += v * v
        sr += r
        ru += r * u
        rv += r * v
        rr += r * r
        sf += f
        fu += f * u
        fv += f * v
        ff += f * f
        rf += r * f
    for k, add in enumerate((n, su, sv, uu, uv, vv, sr, ru, rv, rr, sf, fu, fv, ff, rf)):
        total[k] += add
