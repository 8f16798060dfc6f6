"""YOLO through ultralytics: its own boxes, on observed pixels, from checkpoints that are loaded safely."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from weights import SHARED, YOLO, Runs, all_of, needs_shared, quiet_torch

from vbtools.backends.inspect import yolo
from vbtools.backends.inspect.yolo import YoloDetector
from vbtools.backends.picture import read_picture
from vbtools.errors import MissingDependencyError, ModelError, UsageError

pytestmark = pytest.mark.torch
OFFICE = SHARED / "photos" / "twilio_office.jpg"


@pytest.fixture(autouse=True)
def models_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ultralytics", reason="needs the yolo extra")
    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path_factory.mktemp("models")))


def params(weights: Path | None, **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**({"weights": weights, "min_confidence": 0.5, "device": "cpu"} | changes))


def random_checkpoint(path: Path, kind: str = "yolov8n.yaml") -> Path:
    """A network of ultralytics with random weights, saved as it saves its own."""
    quiet_torch()
    yolo._ultralytics().YOLO(kind).save(path)
    return path


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes: left, top, right, bottom."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = np.prod(np.maximum(high - low, 0))
    return float(shared / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared))


@needs_shared
@pytest.mark.shared
def test_a_photograph_s_boxes_are_those_of_ultralytics_called_directly() -> None:
    """It is given the file's name and reads the photograph itself, so that the order of colours is tested too."""
    image = read_picture(OFFICE)
    found = YoloDetector(params(YOLO, min_confidence=0.25))(image, all_of(image), 1.0)
    import ultralytics

    (direct,) = ultralytics.YOLO(str(YOLO)).predict(str(OFFICE), device="cpu", verbose=False)
    assert len(found) == len(direct.boxes) >= 10
    order = np.argsort(-direct.boxes.conf.numpy(), kind="stable")
    for one, index in zip(found, order, strict=True):
        box = np.array([one["x"], one["y"], one["x"] + one["width"], one["y"] + one["height"]])
        assert overlap(box, direct.boxes.xyxy[index].numpy()) > 0.99
        assert one["label"] == direct.names[int(direct.boxes.cls[index])]
        assert one["confidence"] == pytest.approx(float(direct.boxes.conf[index]), abs=1e-4)
    assert [one["label"] for one in found].count("chair") >= 8


@needs_shared
@pytest.mark.shared
def test_boxes_are_in_the_plate_s_pixels_and_mostly_unobserved_ones_are_dropped() -> None:
    image = read_picture(OFFICE)
    detector = YoloDetector(params(YOLO))
    whole = detector(image, all_of(image), 2.0)
    first = whole[0]
    assert 300 < 2 * first["x"] < 360  # the left chair before the desk
    assert first["observed"] == 1.0
    observed = all_of(image)
    x, y, width, height = (int(2 * first[side]) for side in ("x", "y", "width", "height"))
    observed[y : y + height, x : x + int(0.7 * width)] = False
    places = {(round(one["x"]), round(one["y"])) for one in detector(image, observed, 2.0)}
    assert (round(first["x"]), round(first["y"])) not in places
    assert detector(image, ~all_of(image), 2.0) == []


class Fixed:
    """A network that finds the same boxes whatever it is shown, and remembers what it was shown."""

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.boxes = np.array(boxes, np.float32)
        self.shown: list[np.ndarray] = []

    def predict(self, image: np.ndarray, **_: Any) -> list[Any]:
        self.shown.append(image.copy())
        some = SimpleNamespace(
            xyxy=self.boxes, conf=np.linspace(0.6, 0.9, len(self.boxes)), cls=np.zeros(len(self.boxes))
        )
        found = SimpleNamespace(cpu=lambda: SimpleNamespace(numpy=lambda: some))
        return [SimpleNamespace(boxes=found, names={0: "cup"})]


def test_half_observed_is_the_least_and_the_most_certain_comes_first(tmp_path: Path) -> None:
    detector = YoloDetector(params(random_checkpoint(tmp_path / "x.pt")))
    detector._model = Fixed((0, 0, 20, 10), (20, 0, 40, 10), (31, 0, 51, 10))
    image, observed = np.full((20, 60, 3), 200, np.uint8), np.ones((20, 60), bool)
    observed[:, 41:] = False
    image[~observed] = 0
    found = detector(image, observed, 1.0)
    assert [(one["x"], one["observed"]) for one in found] == [(31.0, 0.5), (20.0, 1.0), (0.0, 1.0)]
    observed[:, 40:] = False
    assert [one["x"] for one in detector(image, observed, 1.0)] == [20.0, 0.0]
    assert detector._model.shown[-1].min() == 200, "unobserved pixels are filled before anything looks"


def test_colours_are_shown_to_the_network_as_it_wants_them(tmp_path: Path) -> None:
    detector = YoloDetector(params(random_checkpoint(tmp_path / "x.pt")))
    detector._model = Fixed()
    image = np.full((8, 8, 3), (255, 10, 0), np.uint8)
    assert detector(image, all_of(image), 1.0) == []
    assert detector._model.shown[0][0, 0].tolist() == [0, 10, 255], "ultralytics takes arrays as BGR"


def test_any_detection_checkpoint_of_the_package_is_loaded_and_others_are_refused(tmp_path: Path) -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    other = YoloDetector(params(random_checkpoint(tmp_path / "x.pt", "yolov8n-seg.yaml")))
    assert other(image, all_of(image), 1.0) == []
    classifier = random_checkpoint(tmp_path / "y.pt", "yolov8n-cls.yaml")
    for attempt in (YoloDetector, YoloDetector.check):
        with pytest.raises(ModelError, match="for 'classify', which finds no upright boxes"):
            attempt(params(classifier))


def test_bad_checkpoints_are_refused_before_the_run_and_run_nothing(tmp_path: Path) -> None:
    torch = quiet_torch()
    torch.save({"model": Runs(f"touch {tmp_path / 'harm'}")}, tmp_path / "code.pt")
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pt")
    (tmp_path / "cut.pt").write_bytes(random_checkpoint(tmp_path / "x.pt").read_bytes()[:50_000])
    (tmp_path / "text.pt").write_text("no checkpoint")
    (tmp_path / "x.pt").rename(tmp_path / "x.pth")
    for name in ("code", "other", "cut", "text"):
        for attempt in (YoloDetector, YoloDetector.check):
            with pytest.raises(ModelError, match="is no whole YOLO checkpoint that ultralytics loads safely") as caught:
                attempt(params(tmp_path / f"{name}.pt"))
            assert len(str(caught.value)) < 500
    assert not (tmp_path / "harm").exists()
    with pytest.raises(ModelError, match=r"does not end in \.pt"):
        YoloDetector(params(tmp_path / "x.pth"))
    with pytest.raises(ModelError, match="no weights file"):
        YoloDetector(params(tmp_path / "absent.pt"))


def test_loading_is_safe_even_where_ultralytics_was_imported_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yolo._ultralytics()
    from ultralytics.nn import tasks

    monkeypatch.setattr(tasks, "SAFE_LOAD", False)  # as it is without its variable in the environment
    quiet_torch().save({"model": Runs(f"touch {tmp_path / 'harm'}")}, tmp_path / "code.pt")
    with pytest.raises(ModelError, match="loads safely"):
        yolo.load(tmp_path / "code.pt")
    assert not (tmp_path / "harm").exists()


QUIET = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("the network was touched")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from vbtools.backends.inspect.yolo import YoloDetector
d = YoloDetector(SimpleNamespace(weights=Path(sys.argv[1]), min_confidence=0.5, device="cpu"))
d(np.zeros((64, 64, 3), np.uint8), np.ones((64, 64), bool), 1.0)
"""


def test_it_touches_no_network_prints_nothing_and_writes_nothing_to_the_home(tmp_path: Path) -> None:
    checkpoint = random_checkpoint(tmp_path / "x.pt")
    done = _python(QUIET, tmp_path, str(checkpoint))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list((tmp_path / "home").iterdir()) == []
    assert "YOLO_OFFLINE" not in os.environ, "the switches are set back"


def _python(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "home").mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("YOLO_", "ULTRALYTICS_", "XDG_"))}
    environment |= {"HOME": str(folder / "home"), "VBTOOLS_MODELS": str(folder / "models")}
    environment["PYTHONPATH"] = str(Path(yolo.__file__).parents[3])
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, env=environment, check=False, capture_output=True,
        text=True,
    )  # fmt: skip


def test_a_package_that_cannot_load_safely_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    yolo._ultralytics()
    from ultralytics.nn import tasks

    monkeypatch.setattr(tasks._SafeLoad, "SUPPORTED", False)
    with pytest.raises(MissingDependencyError, match="cannot load checkpoints safely"):
        yolo.load(tmp_path / "x.pt")


def test_without_weights_the_catalog_s_are_asked_for() -> None:
    with pytest.raises(MissingDependencyError, match="vbtools models pull yolov8n"):
        YoloDetector(params(None))


def test_a_device_that_is_not_here_is_told() -> None:
    if quiet_torch().cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(UsageError, match=r"inspect\.device is 'cuda'"):
        YoloDetector.check(params(None, device="cuda"))
