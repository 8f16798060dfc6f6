"""Picture files: read as RGB whatever they hold, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.errors import InputError, StorageError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFAULT_SUFFIX = ".png"
JPEG_QUALITY = 95


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture as ``(H, W, 3)`` uint8 RGB, 0-255.

    Grey becomes three equal channels; 16 bits become 8 by rounding; floating point is taken as 0-1; what is
    transparent is shown on white. A photograph is turned as its EXIF orientation says.

    Raises:
        InputError: missing, a folder, not readable, or not a picture that OpenCV reads.
    """
    import cv2
    import numpy as np

    data = np.frombuffer(_bytes_of(path), np.uint8)
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what is wrong is said below, once
    try:
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        if image is not None and image.dtype in (np.uint8, np.uint16) and image.shape[2:] != (4,):
            image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)  # turned, and three channels
    except cv2.error as error:
        raise InputError(
            f"'{path}' cannot be decoded ({_first_line(error)})", "Name a PNG, JPEG, TIFF, BMP or WebP picture"
        ) from error
    finally:
        cv2.utils.logging.setLogLevel(level)
    if image is None:
        raise InputError(f"'{path}' is damaged or cut short", "Name a whole PNG, JPEG, TIFF, BMP or WebP picture")
    image = _eight_bits(image, path)
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.shape[2] == 4:
        image = _on_white(image)
    return np.ascontiguousarray(image[..., ::-1])


def read_cut_out(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Read a picture that is partly transparent, or None where nothing of it is.

    Returns:
        ``(H, W, 3)`` uint8 RGB, not multiplied by alpha, and ``(H, W)`` uint8 alpha, 255 opaque.

    Raises:
        InputError: as :func:`read_picture`.
    """
    import cv2
    import numpy as np

    read_picture(path)  # says what is wrong with it
    image = cv2.imdecode(np.frombuffer(_bytes_of(path), np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        return None
    image = _eight_bits(image, path)
    if image[..., 3].min() == 255:
        return None
    return np.ascontiguousarray(image[..., 2::-1]), np.ascontiguousarray(image[..., 3])


def write_picture(path: Path, rgb: NDArray[np.uint8]) -> Path:
    """Write a picture so that the file is either the whole new one or untouched.

    Args:
        path: its ending says the format; ``.png`` is added where it has none.
        rgb: ``(H, W, 3)`` uint8 RGB or ``(H, W)`` uint8 grey.

    Returns:
        The path that was written.

    Raises:
        UsageError: an ending that OpenCV cannot write.
        StorageError: the folder is missing, read-only or full.
    """
    import cv2
    import numpy as np

    path = path if path.suffix else path.with_name(path.name + DEFAULT_SUFFIX)
    if not cv2.haveImageWriter(f"picture{path.suffix.lower()}"):
        raise UsageError(f"'{path}': pictures cannot be written as '{path.suffix}'", "Use .png, .jpg, .tiff or .webp")
    picture = np.ascontiguousarray(rgb[..., ::-1] if rgb.ndim == 3 else rgb)
    suffix = path.suffix.lower()
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix in (".jpg", ".jpeg") else []
    try:
        written, data = cv2.imencode(suffix, picture, options)
    except cv2.error as error:
        raise UsageError(
            f"'{path}': this picture, {picture.shape}, cannot be written as '{path.suffix}' ({_first_line(error)})",
            "Use .png",
        ) from error
    if not written:
        raise UsageError(f"'{path}': this picture cannot be written as '{path.suffix}'", "Use .png")
    return write_whole(path, data.tobytes())


def write_whole(path: Path, data: bytes) -> Path:
    """Write a file beside its place, sync it, and move it there.

    Raises:
        StorageError: the operating system refused; what was there before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StorageError(
            f"'{path}' cannot be written ({error.strerror})", "Name another place, or make room or the folder"
        ) from error
    finally:
        if temporary.exists():
            temporary.unlink()
    return path


def _bytes_of(path: Path) -> bytes:
    import cv2

    if not path.exists():
        raise InputError(f"There is no picture '{path}'", "Name a picture file")
    if path.is_dir():
        raise InputError(f"'{path}' is a folder, not a picture", "Name a picture file")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"'{path}' is empty", "Name a picture file")
            if not cv2.haveImageReader(str(path)):  # by its first bytes: a recording is not read whole
                raise InputError(f"'{path}' is not a picture", "Name a PNG, JPEG, TIFF, BMP or WebP picture")
            file.seek(0)
            return file.read()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror})", "Name a picture that may be read") from error


def _eight_bits(image: NDArray[Any], path: Path) -> NDArray[Any]:
    import numpy as np

    if image.dtype == np.uint8:
        return image
    if image.dtype == np.uint16:
        return np.rint(image / 257.0).astype(np.uint8)  # 65535 / 257 = 255 exactly
    if np.issubdtype(image.dtype, np.floating):
        return np.rint(np.clip(np.nan_to_num(image), 0.0, 1.0) * 255.0).astype(np.uint8)
    raise InputError(f"'{path}' holds {image.dtype} values", "Name a picture with 8 or 16 bits a channel")


def _on_white(image: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    alpha = image[..., 3:].astype(np.float32) / 255.0
    return np.rint(image[..., :3] * alpha + 255.0 * (1.0 - alpha)).astype(np.uint8)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip()
