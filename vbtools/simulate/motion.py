"""How the person moves: smooth, seeded, a function of time alone. Nothing heavy is imported here.

A motion is a sum of a few sines of random frequency and phase for each of sideways, up and down,
turn and size, and for ``walk`` of a way across the picture; so a longer clip begins exactly as a shorter one does.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from vbtools.errors import UsageError, nearest

SINES = 4  # for each component of each layer: enough not to look periodic in a minute


@dataclass(frozen=True, slots=True)
class Layer:
    """One band of movement.

    Attributes:
        across_px, up_px: largest excursion to the sides and up or down, px of a 720-row frame.
        turn_deg: largest turn about the middle of the frame's lower edge, degrees.
        zoom: largest relative change of size.
        slowest_hz, fastest_hz: the frequencies lie between these.
    """

    across_px: float
    up_px: float
    turn_deg: float
    zoom: float
    slowest_hz: float
    fastest_hz: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the person is at one instant: px of a 720-row frame to the right and down, degrees, factor of size."""

    x: float
    y: float
    degrees: float
    scale: float


_TALK = Layer(across_px=9, up_px=5, turn_deg=1.2, zoom=0.008, slowest_hz=0.15, fastest_hz=1.1)


@dataclass(frozen=True, slots=True)
class Motion:
    """One way to move.

    Attributes:
        layers: bands of movement that add up.
        hands: a hand rises into the picture now and then.
        walks: comes in from one side, stays, goes out at the other side, and comes back.
    """

    layers: tuple[Layer, ...] = ()
    hands: bool = False
    walks: bool = False


MOTIONS: dict[str, Motion] = {
    "still": Motion(),
    "talking": Motion((_TALK,)),
    "sway": Motion((Layer(across_px=130, up_px=8, turn_deg=2.5, zoom=0.012, slowest_hz=0.07, fastest_hz=0.28), _TALK)),
    "lean": Motion((Layer(across_px=50, up_px=8, turn_deg=7, zoom=0.1, slowest_hz=0.06, fastest_hz=0.22), _TALK)),
    "gesture": Motion((_TALK,), hands=True),
    "walk": Motion((_TALK,), walks=True),
}
"""Names to motions; in 10 s a sum of sines reaches about 0.6 of its largest excursion. Amplitudes after the movement
recorded for shared/data/vendor/scene_books (+-100 px across, 2 to 9 degrees, sizes of 0.99 to 1.11)."""

WALK_PX = 1150.0  # beyond this from its seat, px of a 720-row frame of 16:9, nothing of the person is in the picture
WALK_S = (2.5, 3.5, 2.5, 0.8)  # coming in, staying, going out, being away
STEP_HZ, STEP_PX = 1.8, 7.0  # how a walking person bobs
HAND_S = 3.2  # from one gesture to the next
HAND_UP = 0.62  # share of that in which the hand is up or on its way


@dataclass(frozen=True, slots=True)
class _Sine:
    amplitude: float
    hz: float
    phase: float

    def at(self, time_s: float) -> float:
        return self.amplitude * math.sin(2 * math.pi * self.hz * time_s + self.phase)


class Path:
    """One person's movement.

    Args:
        name: a key of :data:`MOTIONS`.
        seed: same seed, same movement.

    Raises:
        UsageError: there is no such motion.
    """

    def __init__(self, name: str, seed: int) -> None:
        if name not in MOTIONS:
            raise UsageError(f"simulate has no motion '{name}'", nearest(name, tuple(MOTIONS)))
        chance = random.Random(f"motion {seed}")
        self.name = name
        self.motion = MOTIONS[name]
        self._from_left = chance.random() < 0.5
        self._sines: tuple[list[_Sine], ...] = ([], [], [], [])
        for layer in self.motion.layers:
            amplitudes = (layer.across_px, layer.up_px, layer.turn_deg, layer.zoom)
            for sines, amplitude in zip(self._sines, amplitudes, strict=True):
                sines.extend(_sines(chance, amplitude, layer))

    def pose(self, time_s: float) -> Pose:
        """Where the person is ``time_s`` seconds after the beginning."""
        x, y, degrees, zoom = (sum(sine.at(time_s) for sine in sines) for sines in self._sines)
        if self.motion.walks:
            along, bob = self._walk(time_s)
            x, y = x + along, y + bob
        return Pose(x, y, degrees, 1.0 + zoom)

    def _walk(self, time_s: float) -> tuple[float, float]:
        """How far the person is from its seat, px to the right, and how high it bobs."""
        period = sum(WALK_S)
        turn, time = divmod(time_s, period)
        side = -1.0 if (int(turn) % 2 == 0) == self._from_left else 1.0
        come, stay, go, _ = WALK_S
        if time < come:
            along = side * (1 - _eased(time / come))
        elif time < come + stay:
            return 0.0, 0.0
        else:
            along = -side * _eased(min(1.0, (time - come - stay) / go))
        return along * WALK_PX, -STEP_PX * abs(math.sin(math.pi * STEP_HZ * time))


class Hand:
    """The path of a gesturing hand: where it is of the way up, and where across; a function of time alone.

    Args:
        seed: same seed, same gestures.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def at(self, time_s: float) -> tuple[float, float, float]:
        """How far up the hand is (0 out of the picture, 1 up), px of a 720-row frame to the right, and degrees."""
        number, time = divmod(time_s, HAND_S)
        chance = random.Random(f"hand {self._seed} {int(number)}")
        side = chance.choice((-1.0, 1.0))
        middle, reach = side * chance.uniform(190, 330), chance.uniform(0.75, 1.0)
        waves, swing = chance.uniform(1.0, 2.4), chance.uniform(10, 34)
        part = time / (HAND_S * HAND_UP)
        if part >= 1:
            return 0.0, middle, 0.0
        up = reach * _eased(min(1.0, 2.4 * min(part, 1 - part)))
        wave = math.sin(2 * math.pi * waves * part)
        return up, middle + swing * wave, side * -12 + 9 * wave


def _eased(part: float) -> float:
    """From 0 to 1 without a jerk."""
    return part * part * (3 - 2 * part)


def _sines(chance: random.Random, amplitude: float, layer: Layer) -> list[_Sine]:
    """Sines whose amplitudes add up to ``amplitude``; their frequencies are even in the logarithm."""
    weights = [chance.uniform(0.4, 1.0) for _ in range(SINES)]
    span = math.log(layer.fastest_hz / layer.slowest_hz)
    return [
        _Sine(
            amplitude * weight / sum(weights), layer.slowest_hz * math.exp(span * chance.random()),
            chance.uniform(0, 2 * math.pi),
        )
        for weight in weights
    ]  # fmt: skip
