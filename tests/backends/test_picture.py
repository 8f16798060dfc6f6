"""Pictures: read as RGB whatever the file holds, written whole or not at all."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from vbtools.backends.picture import read_picture, write_picture, write_whole
from vbtools.errors import InputError, StorageError, UsageError

RGB = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [10, 20, 30]]], np.uint8)


def save(path: Path, array: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), array)
    return path


def test_what_is_written_is_read_again_with_red_first(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", RGB)
    assert np.array_equal(read_picture(path), RGB)
    assert np.array_equal(cv2.imread(str(path))[..., ::-1], RGB)


def test_png_is_the_default(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "picture", RGB)
    assert path == tmp_path / "picture.png"
    assert path.read_bytes().startswith(b"\x89PNG")


def test_sixteen_bits_become_eight_by_rounding(tmp_path: Path) -> None:
    path = save(tmp_path / "deep.png", np.array([[0, 128, 129, 257 * 7, 65535]], np.uint16))
    assert read_picture(path)[..., 0].tolist() == [[0, 0, 1, 7, 255]]


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "grey.png", np.array([[3, 200]], np.uint8)))
    assert picture.shape == (1, 2, 3)
    assert picture.tolist() == [[[3, 3, 3], [200, 200, 200]]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparent_is_shown_on_white(tmp_path: Path, dtype: type) -> None:
    most = np.iinfo(dtype).max
    bgra = np.array([[[0, 0, most, most], [0, 0, most, 0]]], dtype)
    assert read_picture(save(tmp_path / "alpha.png", bgra)).tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_floating_point_is_taken_as_nought_to_one(tmp_path: Path) -> None:
    path = save(tmp_path / "float.tiff", np.array([[0.0, 0.5, 1.0, 7.0, np.nan]], np.float32))
    assert read_picture(path)[..., 0].tolist() == [[0, 128, 255, 255, 0]]


def test_a_photograph_is_turned_as_it_says(tmp_path: Path) -> None:
    plain = cv2.imencode(".jpg", np.zeros((8, 16, 3), np.uint8))[1].tobytes()
    orientation_6 = bytes.fromhex("1201 0300 01000000 06000000")  # tag 0x112, one short: turn by a quarter clockwise
    exif = b"Exif\0\0II*\0" + bytes.fromhex("08000000 0100") + orientation_6 + bytes(4)
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    path = tmp_path / "turned.jpg"
    path.write_bytes(plain[:2] + segment + plain[2:])
    assert read_picture(path).shape == (16, 8, 3)


def make_missing(path: Path) -> None:
    path.unlink(missing_ok=True)


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


def make_text(path: Path) -> None:
    path.write_text("this is not a picture at all\n" * 20)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_truncated(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    data = cv2.imencode(".png", noise)[1].tobytes()
    path.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_missing, "There is no picture"),
        (make_empty, "is empty"),
        (make_text, "is not a picture"),
        (make_folder, "is a folder"),
        (make_truncated, "damaged or cut short"),
    ],
)
def test_what_is_not_a_picture_is_named_in_one_sentence(tmp_path: Path, capfd, make, words: str) -> None:
    path = tmp_path / "in.png"
    make(path)
    with pytest.raises(InputError, match=words) as caught:
        read_picture(path)
    assert capfd.readouterr().err == ""  # OpenCV's own warnings are not a sentence
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_a_recording_is_not_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "call.mkv"
    path.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(4096))
    with pytest.raises(InputError, match="is not a picture"):
        read_picture(path)


def test_an_ending_that_cannot_be_written_is_refused_before_writing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'\.xyz'"):
        write_picture(tmp_path / "a.xyz", RGB)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        write_picture(tmp_path / "nowhere" / "a.png", RGB)


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_picture(tmp_path / "a.png", RGB)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        write_whole(path, b"half")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_jpeg_is_written_where_asked_for(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.JPG", np.full((16, 16, 3), 200, np.uint8))
    assert path.read_bytes().startswith(b"\xff\xd8")
    assert abs(int(read_picture(path).mean()) - 200) <= 2
