"""A network's forward pass: measured on a small part of the picture first, then told as it goes on.

From the measurement follow how much of a picture fits in memory at once, and how long the whole will take, before it is
begun: a pass of a restoration network over a background takes minutes on a CPU and is one call that says nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROBE = 64
"""px: side of the part that is measured; 0.8 % of a background of 960x540."""
TELL_FROM_S = 20.0
"""An estimate is told before the pass where it is this long."""
LARGER, LARGER_FROM_S = 128, 60.0
"""px: side of the part that is timed again where the pass takes a minute of CPU time: the small one fits into a
processor's cache, and says of MPRNet 40 to 50 % too little."""
HUNDREDTHS = 100
WORKSPACE = 1.25
"""What a process grows by against the tensors that are counted: libraries want room to work in, and the allocator is
not exact. MPRNet on a CPU: 10.1 kB a pixel of resident memory, 8.4 kB of tensors."""


class Progress(Protocol):
    """Where a step says how far it is; :class:`vbtools.stages.Progress` is one."""

    def start(self, total: int | None, unit: str) -> None: ...
    def advance(self, done: int = 1) -> None: ...
    def say(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Measured:
    """What a pass over one pixel costs.

    Attributes:
        seconds: on this device, now.
        memory: bytes at the peak, beside the weights; :data:`WORKSPACE` included.
        shares: of the time, what had passed after each innermost module's call, 0-1.
    """

    seconds: float
    memory: float
    shares: tuple[float, ...]

    def pixels_in(self, budget: int) -> int:
        """How many pixels may pass at once in so many bytes."""
        return max(1, int(budget / self.memory))


def measure(
    network: Any, run: Callable[[NDArray[np.uint8]], object], image: NDArray[np.uint8], device: str
) -> Measured:
    """Pass the picture's middle: once to find the memory (and to warm up), once or twice to time it.

    Args:
        network: the torch module that ``run`` calls.
        run: the pass, of ``(h, w, 3)`` uint8 RGB.
        image: ``(H, W, 3)`` uint8 RGB.
        device: as PyTorch names it.
    """
    part = _middle(image, PROBE)
    memory = max(1.0, WORKSPACE * _peak_bytes(run, part, device) / _pixels(part))
    worked = time.process_time()
    seconds, shares = _timed(network, run, part)
    worked = time.process_time() - worked  # what other programs take must not make a short pass look long
    if worked / _pixels(part) * _pixels(image) >= LARGER_FROM_S:
        part = _middle(image, LARGER)
        seconds, shares = _timed(network, run, part)
    return Measured(seconds / _pixels(part), memory, shares)


@contextmanager
def telling(network: Any, measured: Measured, progress: Progress | None, passes: int) -> Iterator[None]:
    """While in it, tell the progress how far the network is, in hundredths of all its passes.

    What ``progress.advance`` raises (Ctrl-C) stops the pass.
    """
    if progress is None:
        yield
        return
    progress.start(HUNDREDTHS, "%")
    told = finished = calls = 0

    def called() -> None:
        nonlocal told, calls
        calls += 1
        share = measured.shares[min(calls, len(measured.shares)) - 1] if measured.shares else 0.0
        now = min(int(HUNDREDTHS * (finished + share) / passes), HUNDREDTHS)
        if now > told:
            progress.advance(now - told)
            told = now

    def passed(*_: object) -> None:
        nonlocal finished, calls
        finished, calls = finished + 1, 0

    whole = network.register_forward_hook(passed)
    try:
        with _after_each(network, called):
            yield
    finally:
        whole.remove()
    progress.advance(HUNDREDTHS - told)


def tell_estimate(progress: Progress | None, name: str, seconds: float, how: str) -> None:
    """Say before a slow step starts how long it will take; nothing for one that takes less than :data:`TELL_FROM_S`."""
    if progress is not None and seconds >= TELL_FROM_S:
        progress.say(f"{name}: will take about {in_words(seconds)} ({how})")


def in_words(seconds: float) -> str:
    """``40 s``, ``4 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _middle(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    return image[top : top + side, left : left + side].copy()


def _pixels(image: NDArray[np.uint8]) -> int:
    return image.shape[0] * image.shape[1]


def _timed(
    network: Any, run: Callable[[NDArray[np.uint8]], object], part: NDArray[np.uint8]
) -> tuple[float, tuple[float, ...]]:
    """Seconds of a pass, and what share of them had passed after each innermost module's call."""
    ends: list[float] = []
    begun = time.perf_counter()
    with _after_each(network, lambda: ends.append(time.perf_counter() - begun)):
        run(part)
    passed = time.perf_counter() - begun
    return passed, tuple(end / passed for end in ends)


@contextmanager
def _after_each(network: Any, call: Callable[[], None]) -> Iterator[None]:
    """Call something after every call of a module that has none inside, in the order of the pass."""
    innermost = [module for module in network.modules() if next(module.children(), None) is None]
    hooks = [module.register_forward_hook(lambda *_: call()) for module in innermost]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _peak_bytes(run: Callable[[Any], object], part: Any, device: str) -> int:
    """The most that tensors took at once during a pass, beside what there was before."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run(part)
        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated() - before)
    counted = _counter()
    with counted:
        run(part)
    return int(counted.peak)


def _counter() -> Any:
    """A torch dispatch mode that adds up the storage of every tensor that an operation makes, while it is alive."""
    from torch.multiprocessing.reductions import StorageWeakRef
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Counter(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.alive: dict[int, tuple[Any, int]] = {}
            self.peak = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            import torch

            given = func(*args, **(kwargs or {}))
            self.alive = {key: (ref, size) for key, (ref, size) in self.alive.items() if not ref.expired()}
            for tensor in tree_leaves(given):
                if isinstance(tensor, torch.Tensor):
                    storage = tensor.untyped_storage()
                    self.alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
            self.peak = max(self.peak, sum(size for _, size in self.alive.values()))
            return given

    return Counter()
