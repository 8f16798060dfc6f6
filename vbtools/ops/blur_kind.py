"""From what edges, spectrum, bleeding and fringe show to an answer about the blur, with how sure it is.

"Cannot tell" is an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.blur_bleeding import SIGMAS, Bleeding, Kind
from vbtools.ops.blur_edges import Width
from vbtools.ops.blur_kernel import CUTS
from vbtools.ops.blur_spectrum import Falloff

F32 = NDArray[np.float32]

CANNOT_TELL, NONE = "cannot tell", "none"
NAN = float("nan")
WHOLE, EXCLUDED, UNDECIDED = 1, 0, -1

EDGE_ERROR, UNCLEAR_ERROR = 0.10, 0.17
"""Standard error of the edges' answer, in logarithm, over 71 simulated clips; and where few of their votes agree."""
FALLOFF_ERROR = 0.10
"""The same of the spectrum's."""
CUT_ERROR = 0.04
"""The same of a cut kernel's, whose zero the spectrum shows: of 20 within 4 %."""
BLEEDING_ERROR = 0.25
"""The same of the bleeding's, which needs the person's outline to be right."""
LEAST_BLED = 0.15
"""Share of the variance that bleeding must explain to name a sigma by itself."""

PRIOR_WHOLE = 0.8
"""Thirteen of simulate's 15 products blur the whole frame; of those that cannot be read, some do not."""
REACHES, LEFT, STRONG = (0.36, 0.2), (0.05, 0.04), (0.63, 0.1)
"""Where neither kind is the likelier, and how much more makes either e times as likely: of the logarithm of the reach,
of what a whole-frame blur leaves less of the difference than one that keeps the person out (a mask that lags lets some
of the person into any blur), and of the strength of the bleeding. Of 69 clips behind whole-frame blurs the reach was
0.26 to 1.6 but once, the strength 0.65 to 1.6 but three times; of 24 others -0.03 to 0.55, and -0.06 to 0.78."""
MOST_EACH = 3.0
"""Of the logarithm of the odds that one of the three can add."""
SHARED = 0.55
"""What each of the three counts: all see the same mask's errors."""
NARROW_PX, FULL, FULL_REACH = 12.0, 0.85, 0.62
"""px at 720 rows, and the strength and the reach one of which a narrower blur must have to be taken for one of the
whole frame: where a mask does not keep out the person's rim, the rim bleeds as far as the blur reaches, 0.7 to 0.8 as
strongly (OBS, 4 and 5 passes)."""
MOST_ODDS = 50.0
"""However clear the difference: a mask that is wrong all over can imitate either kind."""
TABLE_ERROR = 0.03
"""Of the table's effective sigmas, in logarithm."""
SURE_ENOUGH = 0.85
"""More than the prior: what the data do not say is not answered."""
SHORT = 1.25
"""Sigmas: a kernel that ends below is one of few taps."""
LEAST_CONTRAST = 0.25
"""Grey levels: a weaker bleeding than this would not be seen."""


@dataclass(frozen=True, slots=True)
class Product:
    """A known product's blur, for naming the nearest.

    Attributes:
        name: of the profile of simulate.
        sigma: effective, px.
        rows: the height of the frame that sigma is for; 0: it does not follow the height.
        whole: whether the whole frame is blurred.
        cut: whether the kernel is cut off.
    """

    name: str
    sigma: float
    rows: int = 0
    whole: bool = True
    cut: bool = False


PRODUCTS = (
    Product("gaussian", 15.0, 720), Product("jitsi", 25.0), Product("jitsi-slight", 8.0), Product("jitsi2", 25.0),
    Product("bbb", 25.0), Product("twilio", 15.0), Product("twilio-webgl", 8.3, cut=True),
    Product("livekit", 5.3, cut=True), Product("chime", 15.0, 540),
    Product("volcomix", 5.9, whole=False), Product("obs", 18.3, whole=False),
    Product("kaito", 7.7), Product("backscrub", 4.1), Product("lfbw", 5.2, cut=True), Product("shiguredo", 15.0),
)  # fmt: skip
"""Their default settings (docs/simulate.md); effective sigmas measured on a step behind each profile
(bench/blur.py)."""


@dataclass(frozen=True, slots=True)
class Blur:
    """What is known of a clip's blur.

    Attributes:
        family: ``gaussian`` (any bell: a Gaussian, passes of few taps, Kawase), ``truncated`` or ``cannot tell``;
            ``none``: the background is not blurred, and all that follows is 0, NaN, -1 or ``none``.
        sigma: effective, px of the frame; NaN: cannot tell; 0: no blur.
        sigma_low, sigma_high: within which it lies with 90 %, px.
        truncation: where the kernel ends, in its own sigmas; inf for a bell; NaN: cannot tell.
        whole: 1 whole-frame, 0 person-excluded, -1 cannot tell.
        whole_sure: probability of that answer, 0-1; of the likelier one where it is -1.
        feather: standard deviation of the mask's mean edge over the person's outline, px, so with what the mask is late
            or wrong by; a coarse figure. NaN: cannot tell.
        ema: weight of the mask before, 0-1. Always NaN: of simulate's five products that average masks over time
            four send what comes of it through a curve, a threshold or three bits, so how the fringe fades behind a
            motion is that step's doing as much as the weight's, and a weight told from it would be another.
        profile: the nearest product's; ``cannot tell``; ``none``: no blur.
        sure: its probability among the known products at their default settings, 0-1.
        others: further products with at least half of that, comma-separated.
    """

    family: str = CANNOT_TELL
    sigma: float = NAN
    sigma_low: float = NAN
    sigma_high: float = NAN
    truncation: float = NAN
    whole: int = UNDECIDED
    whole_sure: float = PRIOR_WHOLE
    feather: float = NAN
    ema: float = NAN
    profile: str = CANNOT_TELL
    sure: float = 0.0
    others: str = ""


NO_BLUR = Blur(family=NONE, sigma=0.0, sigma_low=0.0, sigma_high=0.0, whole_sure=0.0, profile=NONE)
"""What is told of a background that is as sharp as the person."""


def family_of(blur: Blur) -> str:
    """The kernel's family as :func:`vbtools.ops.blur_kernel.taps` names it; a bell where no cut was found."""
    if blur.family != "truncated":
        return "gaussian"
    return "short" if blur.truncation < SHORT else "truncated"


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel, as far as it is known.

    Attributes:
        family: one of :data:`vbtools.ops.blur_kernel.FAMILIES`, or ``cannot tell``.
        sigma: effective, px; NaN: cannot tell.
        error: standard error of its logarithm.
    """

    family: str = CANNOT_TELL
    sigma: float = NAN
    error: float = NAN


def kernel_of(edges: Width, falloff: Falloff, bleeding: Bleeding | None = None) -> Kernel:
    """The kernel from what edges, the spectrum and, where neither says anything, the person's bleeding colours tell."""
    if falloff.family not in ("", "gaussian"):
        return Kernel(falloff.family, falloff.sigma, CUT_ERROR)
    guesses = []
    if edges.is_clear or (falloff.family and np.isfinite(edges.sigma)):
        guesses.append((edges.sigma, EDGE_ERROR if edges.is_clear else UNCLEAR_ERROR))
    if falloff.family:
        guesses.append((falloff.sigma, FALLOFF_ERROR))
    if guesses:
        return Kernel("gaussian", *_mean(guesses))
    if bleeding is None or not bleeding.pixels or float(bleeding.explained.max()) < LEAST_BLED:
        return Kernel()
    best = int(bleeding.explained.argmax())
    bled = float(SIGMAS[best])
    if np.isfinite(edges.sigma):
        return Kernel("gaussian", *_mean([(bled, BLEEDING_ERROR), (edges.sigma, BLEEDING_ERROR)]))
    if best in (0, len(SIGMAS) - 1):
        return Kernel()  # wider, or narrower, than anything that was tried
    return Kernel(CANNOT_TELL, bled, BLEEDING_ERROR)


def _mean(guesses: list[tuple[float, float]]) -> tuple[float, float]:
    """The mean of sigmas, by logarithm and error, and its error: at least half of what they are apart, and no less than
    the smaller one's over the root of two, since the room's own softness misleads both alike."""
    logs, errors = np.log([sigma for sigma, _ in guesses]), np.array([error for _, error in guesses])
    mean = float(np.average(logs, weights=errors**-2))
    return float(np.exp(mean)), max(float((errors**-2).sum() ** -0.5), float(np.ptp(logs)) / 2)


def whole_or_excluded(sigma: float, kind: Kind, rows: int) -> tuple[int, float]:
    """Whether the whole frame is blurred, and how sure that is; see :class:`Blur`.

    Args:
        sigma: effective, px.
        kind: as :meth:`vbtools.ops.blur_bleeding.Samples.kind` found it for that sigma.
        rows: of the frame.
    """
    if not np.isfinite(sigma) or not kind.pixels or kind.contrast < LEAST_CONTRAST:
        return UNDECIDED, PRIOR_WHOLE
    evidence = _evidence(kind)
    if evidence > 0 and sigma < NARROW_PX * rows / 720 and kind.strength < FULL and not kind.reach >= FULL_REACH:
        evidence = 0.0  # a rim would do the same
    most = float(np.log(MOST_ODDS))
    odds = PRIOR_WHOLE / (1 - PRIOR_WHOLE) * float(np.exp(np.clip(evidence, -most, most)))
    probability = odds / (1 + odds)
    sure = max(probability, 1 - probability)
    if sure < SURE_ENOUGH:
        return UNDECIDED, sure
    return (WHOLE if probability > 0.5 else EXCLUDED), sure


def _evidence(kind: Kind) -> float:
    """Logarithm of the odds for the whole frame, from reach, rest and strength."""
    seen = [((kind.excluded - kind.whole), *LEFT), (kind.strength, *STRONG)]
    if np.isfinite(kind.reach):
        seen.append((float(np.log(max(kind.reach, 0.01) / REACHES[0])), 0.0, REACHES[1]))
    return SHARED * sum(float(np.clip((x - even) / step, -MOST_EACH, MOST_EACH)) for x, even, step in seen)


def feather_of(opacity: F32, edges_px: NDArray[np.float32], rows: int) -> float:
    """Standard deviation, px, of the mask's edge, from the room's opacity by distance outside the mask; NaN: cannot
    tell.

    Args:
        opacity: (B,) float32, 1 at its strongest, as the leak finds it.
        edges_px: (B + 1,) bounds of the distances, px at 720 rows.
        rows: of the frame.
    """
    middles = (edges_px[:-1] + edges_px[1:]) / 2
    strongest = int(opacity.argmax())
    outer = opacity[strongest:]
    if middles[strongest] < -5 or len(outer) < 3 or outer[-1] > 0.16:
        return NAN  # the fringe lies in the person, or does not end: not a mask's edge
    falling = np.minimum.accumulate(outer)[::-1]
    high, low = (float(np.interp(level, falling, middles[strongest:][::-1])) for level in (0.84, 0.16))
    return (low - high) / 2 * rows / 720


def nearest(kernel: Kernel, probability_whole: float, rows: int) -> tuple[str, float, str]:
    """The nearest product's profile, its probability among :data:`PRODUCTS`, and others that are half as likely."""
    is_cut = kernel.family not in (CANNOT_TELL, "gaussian")
    error = float(np.hypot(kernel.error, TABLE_ERROR))
    weights = []
    for one in PRODUCTS:
        expected = one.sigma * rows / one.rows if one.rows else one.sigma
        weight = _likelihood(float(np.log(kernel.sigma / expected)), 0.0, error)
        weight *= probability_whole if one.whole else 1 - probability_whole
        weights.append(weight * (0.8 if one.cut == is_cut else 0.2))
    shares = np.array(weights) / max(sum(weights), 1e-300)
    best = int(shares.argmax())
    if weights[best] < _likelihood(3 * error, 0.0, error) * 0.1:
        return CANNOT_TELL, 0.0, ""  # a setting that no product has by default
    others = [one.name for one, share in zip(PRODUCTS, shares, strict=True) if share >= shares[best] / 2]
    others.remove(PRODUCTS[best].name)
    return PRODUCTS[best].name, float(shares[best]), ", ".join(others)


def answer(kernel: Kernel, kind: Kind, feather: float, rows: int) -> Blur:
    """Put the parts together."""
    whole, sure = whole_or_excluded(kernel.sigma, kind, rows)
    if not np.isfinite(kernel.sigma):
        return Blur(whole=whole, whole_sure=sure, feather=feather)
    is_cut = kernel.family not in (CANNOT_TELL, "gaussian")
    probability = {WHOLE: sure, EXCLUDED: 1 - sure}.get(whole, PRIOR_WHOLE)
    profile, profile_sure, others = nearest(kernel, probability, rows)
    return Blur(
        family="truncated" if is_cut else kernel.family,
        sigma=kernel.sigma,
        sigma_low=kernel.sigma * float(np.exp(-1.645 * kernel.error)),
        sigma_high=kernel.sigma * float(np.exp(1.645 * kernel.error)),
        truncation=CUTS[kernel.family] if is_cut else NAN if kernel.family == CANNOT_TELL else float("inf"),
        whole=whole,
        whole_sure=sure,
        feather=feather,
        profile=profile,
        sure=profile_sure,
        others=others,
    )


def _likelihood(value: float, mean: float, deviation: float) -> float:
    return float(np.exp(-0.5 * ((value - mean) / deviation) ** 2) / deviation) + 1e-4
