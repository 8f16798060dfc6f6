"""Objects, found by YOLOv8 or another YOLO checkpoint, through ultralytics (AGPL-3.0).

ultralytics is imported with what it would do unasked switched off: checkpoints load safely (only its own classes and
tensors are made from the pickle), it looks for no network, installs nothing, and keeps its settings in the folder of
models instead of the user's home.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vbtools.backends.torch_device import check_device, pick
from vbtools.errors import MissingDependencyError, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL = "yolov8n"
"""The catalog's name of the weights that are used where none are named."""
LEAST_OBSERVED = 0.5
"""An object counts only if at least so much of its box was ever observed: the rest is a guess of the filling's."""
TASKS = ("detect", "segment", "pose")
"""What a checkpoint may have been trained for: these find upright boxes with a class."""
SETTINGS = ".ultralytics"
SWITCHES = {"ULTRALYTICS_SAFE_LOAD": "1", "YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "0", "YOLO_VERBOSE": "0"}
"""What ultralytics reads from the environment when it is imported."""
SUFFIX = ".pt"
REASON_CHARACTERS = 160
_OTHER = "Name a YOLO detection checkpoint (.pt) that ultralytics loads"
_UPDATE = "Run: pip install --upgrade 'vbtools[yolo]'"


class YoloParams(Protocol):
    """What this backend reads of the stage's parameters."""

    @property
    def weights(self) -> str | None: ...
    @property
    def min_confidence(self) -> float: ...
    @property
    def device(self) -> str: ...


class YoloDetector:
    """Find objects on observed pixels.

    Args:
        params: ``weights`` (a checkpoint, or None for the catalog's), ``min_confidence`` 0-1, ``device``.

    Raises:
        MissingDependencyError: the catalog's model is not installed.
        ModelError: the file is damaged, unsafe, or no detector.
        UsageError: there is no such device here.
    """

    def __init__(self, params: YoloParams) -> None:
        from vbtools.models import resolve

        self.params = params
        self.device = pick(params.device, "inspect.device")
        self._model = load(Path(params.weights) if params.weights else resolve(MODEL))
        self._one_at_a_time = threading.Lock()

    @staticmethod
    def preload() -> None:
        """Import torch and ultralytics."""
        _ultralytics()

    @classmethod
    def check(cls, params: YoloParams) -> None:
        """Raise what would stop a run; weights that the user named are loaded for it."""
        check_device(params.device, "inspect.device")
        if params.weights:
            load(Path(params.weights))

    def __call__(self, image: NDArray[np.uint8], observed: NDArray[np.bool_], scale: float) -> list[dict[str, Any]]:
        """Return one dict an object, most certain first, see :mod:`vbtools.backends.inspect`.

        Args:
            image: ``(H', W', 3)`` uint8 RGB.
            observed: ``(H', W')`` bool; objects of whose box less than :data:`LEAST_OBSERVED` is True are dropped.
            scale: pixels of the image per pixel of the plate.
        """
        import numpy as np

        from vbtools.ops.unobserved import fill, share_observed

        if not observed.any():
            return []
        bgr = np.ascontiguousarray((image if observed.all() else fill(image, observed))[..., ::-1])
        with self._one_at_a_time:
            (found,) = self._model.predict(bgr, conf=self.params.min_confidence, device=self.device, verbose=False)
        objects = []
        boxes = found.boxes.cpu().numpy()
        for (left, top, right, bottom), confidence, kind in zip(boxes.xyxy, boxes.conf, boxes.cls, strict=True):
            box = {"x": left, "y": top, "width": right - left, "height": bottom - top}
            share = share_observed(observed, *map(float, box.values()))
            if share >= LEAST_OBSERVED:
                box = {side: float(length) / scale for side, length in box.items()}
                label = str(found.names[int(kind)])
                objects.append({"label": label, **box, "confidence": float(confidence), "observed": share})
        return sorted(objects, key=lambda one: -one["confidence"])


def load(path: Path) -> Any:
    """ultralytics' model of a checkpoint, loaded safely.

    Raises:
        ModelError: the file is missing, damaged, asks for code to be run, or finds no boxes.
    """
    ultralytics = _ultralytics()
    if not path.is_file():
        raise ModelError(f"There is no weights file '{path}'", "Check the path")
    if path.suffix != SUFFIX:
        raise ModelError(f"'{path}' does not end in {SUFFIX}", _OTHER)
    try:
        model = ultralytics.YOLO(str(path))
        task = model.task
    except Exception as error:
        raise ModelError(
            f"'{path}' is no whole YOLO checkpoint that ultralytics loads safely: {_reason(error)}", _OTHER
        ) from error
    if task not in TASKS:
        raise ModelError(f"'{path}' is a YOLO checkpoint for '{task}', which finds no upright boxes", _OTHER)
    return model


def _reason(error: Exception) -> str:
    """ultralytics' own words, the first line, without its pictures and advice."""
    lines = [line.encode("ascii", "ignore").decode().strip() for line in str(error).splitlines()]
    first = next((line for line in lines if line), type(error).__name__)
    return first.removeprefix("ERROR").strip().split(". ")[0][:REASON_CHARACTERS]


def _ultralytics() -> Any:
    """The package, with what it does unasked switched off.

    Raises:
        MissingDependencyError: a version that cannot load checkpoints safely.
    """
    from vbtools.models import directory

    with _environment(SWITCHES | {"YOLO_CONFIG_DIR": str(directory() / SETTINGS)}):
        import ultralytics
        from ultralytics.nn import tasks
    ultralytics.utils.LOGGER.setLevel(logging.ERROR)
    safe = getattr(tasks, "_SafeLoad", None)
    if safe is None or not safe.SUPPORTED or not hasattr(tasks, "SAFE_LOAD"):
        raise MissingDependencyError(
            f"ultralytics {metadata.version('ultralytics')} with torch {metadata.version('torch')} cannot load "
            "checkpoints safely", _UPDATE,
        )  # fmt: skip
    tasks.SAFE_LOAD = True  # also where somebody else had imported it before
    return ultralytics


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    """Environment variables, from entering to leaving; those that the user has set stay."""
    added = {name: value for name, value in changes.items() if name not in os.environ or name in SWITCHES}
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
