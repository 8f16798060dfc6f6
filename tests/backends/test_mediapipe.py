"""The MediaPipe segmenter finds the person, not the background, in RGB, and always the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vbtools import models
from vbtools.backends.segment import mediapipe as backend
from vbtools.errors import InputError, MissingDependencyError, ModelError

FACE = (115, 222)  # row, column of the middle of the face in skimage.data.astronaut()
CORNER = (8, 500)  # the studio's wall


def model_path(name: str) -> Path:
    try:
        return models.pull(name)
    except ModelError as error:
        pytest.skip(f"the model cannot be fetched here: {error}")


@pytest.fixture(scope="session")
def landscape() -> Path:
    return model_path("selfie-landscape")


@pytest.fixture(scope="session", params=sorted(backend.MODELS))
def segmenter_file(request) -> Path:
    return model_path(backend.MODELS[request.param])


@pytest.fixture(scope="session")
def segmenter(segmenter_file):
    pytest.importorskip("mediapipe", reason="needs the mediapipe extra")
    with backend.MediaPipeSegmenter(segmenter_file) as running:
        yield running


@pytest.fixture(scope="module")
def astronaut():
    from skimage import data

    return data.astronaut()


def test_the_person_is_high_and_the_background_low(segmenter, astronaut):
    person = segmenter(astronaut)
    assert person.shape == astronaut.shape[:2]
    assert person.dtype == np.uint8
    assert person[FACE] > 200
    assert person[CORNER] < 60


def test_the_channel_order_is_rgb(segmenter, segmenter_file, astronaut):
    """The orange suit is the suit in RGB; as BGR it is blue, and the mask is another one."""
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import vision

    rgb = segmenter(astronaut).astype(int)
    bgr = segmenter(astronaut[..., ::-1]).astype(int)
    assert np.abs(rgb - bgr).mean() > 2

    with vision.ImageSegmenter.create_from_model_path(str(segmenter_file)) as reference:
        given = Image(image_format=ImageFormat.SRGB, data=astronaut)
        mask = reference.segment(given).confidence_masks[0]  # named: its array does not keep it alive
        probability = mask.numpy_view()[..., 0]
        assert np.abs(rgb - probability * 255.0).max() <= 0.501


def test_the_same_frame_gives_the_same_bytes_whatever_came_before(segmenter, astronaut):
    first = segmenter(astronaut)
    segmenter(np.random.default_rng(0).integers(0, 256, astronaut.shape, dtype=np.uint8))
    assert np.array_equal(segmenter(astronaut), first)


def test_the_mask_is_read_before_mediapipe_frees_it(segmenter, astronaut, monkeypatch):
    """What MediaPipe frees is overwritten here at once; beside other threads that happens by itself, now and then."""
    from mediapipe.tasks.python.vision.core.image import Image

    before, free = segmenter(astronaut), Image.__del__
    freed = []

    def overwrite(image):
        if image._image_ptr:
            pixels = image.numpy_view()
            pixels.flags.writeable = True
            pixels[:] = 0
            freed.append(pixels.shape)
        free(image)

    monkeypatch.setattr(Image, "__del__", overwrite)
    after = segmenter(astronaut)
    monkeypatch.undo()
    assert before.max() > 200
    assert freed, "or nothing was tried"
    assert np.array_equal(before, after)


def test_the_mask_follows_the_person_when_the_frame_is_mirrored(segmenter, astronaut):
    person = segmenter(np.ascontiguousarray(astronaut[:, ::-1]))
    assert person[FACE[0], astronaut.shape[1] - 1 - FACE[1]] > 200


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 5, 3), (135, 241, 3), (540, 960, 3)])
def test_frames_of_any_size_are_taken(segmenter, shape):
    assert segmenter(np.zeros(shape, np.uint8)).shape == shape[:2]


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_frame_is_refused(segmenter, bad):
    with pytest.raises(InputError, match="cannot be segmented"):
        segmenter(bad)


def test_a_closed_segmenter_says_so(landscape):
    pytest.importorskip("mediapipe", reason="needs the mediapipe extra")
    running = backend.MediaPipeSegmenter(landscape)
    running.close()
    running.close()
    with pytest.raises(RuntimeError, match="closed"):
        running(np.zeros((4, 4, 3), np.uint8))


def test_a_file_that_is_no_model_is_refused_without_chatter(tmp_path, capfd):
    pytest.importorskip("mediapipe", reason="needs the mediapipe extra")
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"nothing" * 100)
    with pytest.raises(ModelError, match="no model that MediaPipe takes"):
        backend.MediaPipeSegmenter(bad)
    with pytest.raises(ModelError, match="does not exist"):
        backend.MediaPipeSegmenter(tmp_path / "absent.tflite")
    assert capfd.readouterr().err == ""


def test_loading_says_nothing_on_stderr_nor_does_leaving_it_open(landscape):
    pytest.importorskip("mediapipe", reason="needs the mediapipe extra")
    code = (
        "import sys, numpy\nfrom pathlib import Path\n"
        "from vbtools.backends.segment.mediapipe import MediaPipeSegmenter\n"
        "forgotten = MediaPipeSegmenter(Path(sys.argv[1]))\nforgotten(numpy.zeros((90, 160, 3), numpy.uint8))\n"
    )
    root = Path(models.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(landscape)], cwd=root, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_not_chatter_is_passed_on(capfd):
    import os

    with backend._without_chatter():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nsomething real\n")
        os.write(2, b"W0000 00:00:1 1 a.cc:1] Feedback\nE0000 00:00:1 1 a.cc:1] real too\n")
    assert capfd.readouterr().err == "something real\nE0000 00:00:1 1 a.cc:1] real too\n"


def test_two_threads_at_once_leave_the_error_output_as_it_was(capfd):
    import os
    from threading import Event, Thread

    first_left, second_in = Event(), Event()

    def second() -> None:
        with backend._without_chatter():
            second_in.set()
            first_left.wait(5)

    thread = Thread(target=second)
    with backend._without_chatter():
        thread.start()
        second_in.wait(0.3)  # it may not come in, and does if nothing holds it back
    first_left.set()
    thread.join()
    os.write(2, b"still heard\n")
    assert capfd.readouterr().err == "still heard\n"


@pytest.mark.parametrize(
    ("raised", "command"),
    [
        (ModuleNotFoundError("No module named 'mediapipe'", name="mediapipe"), r"pip install 'vbtools\[mediapipe\]'"),
        (ImportError("libGL.so.1: cannot open shared object file"), "apt-get install libgl1 libegl1 libgles2"),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(monkeypatch, tmp_path, raised, command):
    class Blocker:
        def find_spec(self, name, path=None, target=None):
            if name == "mediapipe" or name.startswith("mediapipe."):
                raise raised

    for name in [name for name in sys.modules if name == "mediapipe" or name.startswith("mediapipe.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Blocker(), *sys.meta_path])
    with pytest.raises(MissingDependencyError, match=command):
        backend.MediaPipeSegmenter(tmp_path / "any.tflite")


def test_a_missing_library_below_mediapipe_is_named(monkeypatch, landscape):
    pytest.importorskip("mediapipe", reason="needs the mediapipe extra")
    from mediapipe.tasks.python import vision

    def fail(options):
        raise OSError("libEGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(vision.ImageSegmenter, "create_from_options", fail)
    with pytest.raises(MissingDependencyError, match=r"libEGL\.so\.1.*apt-get install"):
        backend.MediaPipeSegmenter(landscape)
