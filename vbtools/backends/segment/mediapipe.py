"""MediaPipe selfie segmentation (Google), through the Tasks ``ImageSegmenter``.

The models give one confidence mask; it is the person's (label ``selfie``), not the background's: looked at on a
photograph, and held by ``tests/backends/test_mediapipe.py``. *landscape* works on 256x144, *square* on 256x256; the
task scales its answer back to the frame. Image mode: each frame by itself, no state from the frame before.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from threading import RLock
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from vbtools.errors import InputError, MissingDependencyError, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODELS = {"landscape": "selfie-landscape", "square": "selfie-square"}
"""Catalog names of the models, by this backend's variant."""

_UNNEEDED = ("matplotlib", "matplotlib.pyplot", "sounddevice")
_PULL = "Run: vbtools models pull selfie-landscape"
_INSTALL = "Run: pip install 'vbtools[mediapipe]'"
_DEBIAN = "Run: apt-get install libgl1 libegl1 libgles2"

# What the C++ side says on stderr for every load, whatever happens: glog's I and W lines and TensorFlow Lite's INFO.
_CHATTER = re.compile(rb"^(?:[IW]\d{4} |INFO: |WARNING: (?:All log messages|Logging) before )")
_DESCRIPTOR = RLock()
"""Held while file descriptor 2 is another than the process was given."""


class MediaPipeSegmenter:
    """Person probability for single frames, on the CPU; the same frame gives the same bytes.

    Args:
        model_path: a selfie segmentation .tflite file (see :data:`MODELS`).
        device: taken because other backends can choose; this one computes on the CPU, whatever is asked for.

    Attributes:
        grid: (h, w) of the picture that the model looks at; None where its file does not say. A frame of this size is
            taken as it is. MediaPipe shrinks a larger one much as we do and scales the answer back, which takes twice
            the time, tells no more, and shifts the mask to the right by about 1 px of 960 (``bench/masks.py``).

    Raises:
        MissingDependencyError: mediapipe or a shared library below it is not installed.
        ModelError: the file is missing or no model that MediaPipe takes.
    """

    def __init__(self, model_path: Path, device: str = "auto") -> None:
        self._mediapipe, vision, base_options = _import()
        self.grid = _input_grid(model_path)
        options = vision.ImageSegmenterOptions(
            base_options=base_options.BaseOptions(
                model_asset_path=str(model_path), delegate=base_options.BaseOptions.Delegate.CPU
            ),
            running_mode=vision.RunningMode.IMAGE,
            output_confidence_masks=True,
            output_category_mask=False,
        )
        try:
            with _without_chatter():
                self._segmenter: Any = vision.ImageSegmenter.create_from_options(options)
                self._forgotten = weakref.finalize(self, _free_forgotten, self._segmenter)
                self._warm_up()
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                raise ModelError(f"{model_path} does not exist", _PULL) from error
            raise _missing(error) from error
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{model_path} is no model that MediaPipe takes: {error}", _PULL) from error

    @staticmethod
    def preload() -> None:
        """Import MediaPipe."""
        _import()

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Where the person is.

        Args:
            frame: (H, W, 3) uint8, RGB.

        Returns:
            (H, W) uint8: person probability x 255, rounded; 255 is surely the person.

        Raises:
            InputError: the array has another shape or dtype.
            RuntimeError: the segmenter was closed.
        """
        import numpy as np

        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or not frame.size:
            raise InputError(
                f"A frame of shape {frame.shape} and type {frame.dtype} cannot be segmented",
                "Give (H, W, 3) uint8, RGB",
            )
        if self._segmenter is None:
            raise RuntimeError("the segmenter is closed")
        # MediaPipe's arrays do not keep alive what they look into: pixels and mask have names until all is read.
        pixels = np.ascontiguousarray(frame)
        image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=pixels)
        mask = self._segmenter.segment(image).confidence_masks[0]
        scaled = np.multiply(mask.numpy_view().reshape(frame.shape[:2]), 255.0, dtype=np.float32)
        person: NDArray[np.uint8] = np.rint(scaled, out=scaled).astype(np.uint8)
        return person

    def close(self) -> None:
        """Free the model; may be called twice."""
        segmenter, self._segmenter = self._segmenter, None
        if segmenter is not None:
            self._forgotten.detach()
            segmenter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _warm_up(self) -> None:
        import numpy as np

        self(np.zeros((16, 16, 3), np.uint8))


def _input_grid(model_path: Path) -> tuple[int, int] | None:
    """(h, w) of a .tflite file's first input, (1, h, w, 3); None for anything else, which MediaPipe then refuses.

    The file is a flatbuffer; slots as in TensorFlow Lite's schema.fbs: Model.subgraphs 2, SubGraph.tensors 0 and
    .inputs 1, Tensor.shape 0.
    """
    import struct

    from flatbuffers.number_types import Int32Flags, UOffsetTFlags
    from flatbuffers.table import Table

    def vector(table: Any, slot: int) -> int:
        return int(table.Vector(table.Offset(4 + 2 * slot)))

    def member(table: Any, slot: int, index: int) -> Any:
        return Table(data, table.Indirect(vector(table, slot) + 4 * index))

    try:
        data = model_path.read_bytes()
        graph = member(Table(data, struct.unpack_from("<I", data)[0]), 2, 0)
        tensor = member(graph, 0, graph.Get(Int32Flags, vector(graph, 1)))
        start = vector(tensor, 0)
        count = tensor.Get(UOffsetTFlags, start - 4)
        shape = [int(tensor.Get(Int32Flags, start + 4 * axis)) for axis in range(count)] if count == 4 else []
    except (OSError, struct.error, IndexError, TypeError, ValueError):
        return None
    return (shape[1], shape[2]) if shape[:1] == [1] and shape[3:] == [3] and min(shape) > 0 else None


def _free_forgotten(segmenter: Any) -> None:
    """Close a segmenter that nobody closed.

    While the interpreter leaves, MediaPipe's worker thread has already gone, and its own ``__del__`` would print a
    traceback: then the model goes with the process.
    """
    try:
        segmenter.close()
    except RuntimeError:
        segmenter._handle = None


def _import() -> tuple[ModuleType, Any, Any]:
    """The three modules of MediaPipe that are used: the package, tasks.vision and base_options."""
    try:
        with _without_unneeded():
            import mediapipe
            from mediapipe.tasks.python import vision
            from mediapipe.tasks.python.core import base_options
    except ModuleNotFoundError as error:
        raise MissingDependencyError(f"The Python package '{error.name}' is not installed", _INSTALL) from error
    except (ImportError, OSError) as error:
        raise _missing(error) from error
    return mediapipe, vision, base_options


@contextlib.contextmanager
def _without_unneeded() -> Iterator[None]:
    """Let MediaPipe import without what only drawing landmarks and recording sound need: 0.5 s of a start, 40 MB.

    While its modules load, an empty module stands in for each, unless it is loaded already.
    """
    stands_in = [name for name in _UNNEEDED if name not in sys.modules]
    for name in stands_in:
        sys.modules[name] = ModuleType(name)
    try:
        yield
    finally:
        for name in stands_in:
            sys.modules.pop(name, None)


def _missing(error: Exception) -> MissingDependencyError:
    """For the loader's ``libEGL.so.1: cannot open shared object file``."""
    return MissingDependencyError(f"MediaPipe cannot be loaded: {error}", _DEBIAN)


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """Hold back what C++ code writes to file descriptor 2, and pass on what is not :data:`_CHATTER`.

    One thread at a time: the descriptor is the whole process's, and a second one would put back what the first had put
    in its place.
    While an exception leaves the block, lines that it repeats are dropped as well.
    """
    with _DESCRIPTOR, _held_back():
        yield


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    try:
        original = os.dup(2)
    except OSError:  # no stderr at all: then there is nothing to keep clean
        yield
        return
    said = ""
    with tempfile.TemporaryFile() as held:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception as error:
            said = str(error)
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            for line in held:
                repeated = said and line.decode(errors="replace").removeprefix("ERROR: ").strip() in said
                if not _CHATTER.match(line) and not repeated:
                    os.write(2, line)
