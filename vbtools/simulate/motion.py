"""How the person moves: smooth, seeded, a function of time alone. Nothing heavy is imported here.

The camera is fixed. A motion is a sum of a few sines of random frequency and phase for each of sideways, up and down,
turn and size; so a longer clip begins exactly as a shorter one does.
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

MOTIONS: dict[str, tuple[Layer, ...]] = {
    "still": (),
    "talking": (_TALK,),
    "sway": (Layer(across_px=130, up_px=8, turn_deg=2.5, zoom=0.012, slowest_hz=0.07, fastest_hz=0.28), _TALK),
    "lean": (Layer(across_px=50, up_px=8, turn_deg=7, zoom=0.1, slowest_hz=0.06, fastest_hz=0.22), _TALK),
}
"""Names to layers that add up; in 10 s a sum of sines reaches about 0.6 of its largest excursion. Amplitudes after
the movement recorded for shared/data/vendor/scene_books (+-100 px across, 2 to 9 degrees, sizes of 0.99 to 1.11)."""


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
        self._sines: tuple[list[_Sine], ...] = ([], [], [], [])
        for layer in MOTIONS[name]:
            amplitudes = (layer.across_px, layer.up_px, layer.turn_deg, layer.zoom)
            for sines, amplitude in zip(self._sines, amplitudes, strict=True):
                sines.extend(_sines(chance, amplitude, layer))

    def pose(self, time_s: float) -> Pose:
        """Where the person is ``time_s`` seconds after the beginning."""
        x, y, degrees, zoom = (sum(sine.at(time_s) for sine in sines) for sines in self._sines)
        return Pose(x, y, degrees, 1.0 + zoom)


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
