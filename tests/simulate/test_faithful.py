"""A few frames of the comparison with the real products; all of it: bench/faithful.py."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from vbtools.backends.picture import read_cut_out, read_picture
from vbtools.backends.video import open_video
from vbtools.simulate.choice import choose
from vbtools.simulate.product import Product
from vbtools.simulate.texture import over

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = pytest.mark.shared


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(float(((a.astype(float) - b) ** 2).mean()), 1e-9)))


def needs(*names: str) -> list[Path]:
    paths = [SHARED / name for name in names]
    for path in paths:
        if not path.exists():
            pytest.skip(f"needs {path}")
    return paths


def test_shiguredos_own_output_is_met(selfie_models):
    clean, alpha, real = needs(
        "vendor/scene_books/clean.mkv", "vendor/scene_books/alpha.mkv", "vendor/shiguredo15_books/blurred_lossless.mkv"
    )
    with open_video(clean) as a, open_video(alpha) as b, open_video(real) as c:
        frames = zip(*(islice(v.frames(), 0, 9, 4) for v in (a, b, c)), strict=True)
        triples = [(x.rgb(), y.rgb()[..., 0], z.rgb()) for x, y, z in frames]
    with Product(choose("shiguredo", ["strength=15"]).scheme, 720) as product:
        for frame, outline, shown in triples:
            made = product(frame)[0]
            distance = cv2.distanceTransform((outline < 128).astype(np.uint8), cv2.DIST_L2, 5)
            far, fringe = distance > 25, (distance >= 3) & (distance <= 25)
            assert psnr(made[far], shown[far]) > 45
            assert psnr(made[fringe], shown[fringe]) > 40


@pytest.mark.parametrize(("profile", "settings", "picture", "least"), [
    ("lfbw", ["strength=40"], "lfbw_blur40_books", 99), ("livekit", ["strength=50"], "livekit50_books", 50),
    ("shiguredo", ["strength=15"], "shiguredo15_books", 45),
])  # fmt: skip
def test_the_blur_of_the_empty_room_is_the_products(profile, settings, picture, least, selfie_models):
    room, real = needs("vendor/scene_books/background.png", f"vendor/{picture}/background_blurred_by_vendor.png")
    with Product(choose(profile, settings).scheme, 720) as product:
        assert psnr(product.blurred(read_picture(room)), read_picture(real)) > least


@pytest.mark.parametrize(("strength", "picture", "least"), [(15, "default", 40), (30, "filter_radius_30", 38.5)])
def test_twilios_published_pictures_are_met(strength, picture, least, selfie_models):
    """They are transparent at the borders: laid over white, as a page shows them, and over black."""
    photo, real = needs("photos/twilio_input_person.jpg", f"photos/twilio_blur_{picture}.png")
    cut_out = read_cut_out(real)
    assert cut_out is not None
    on_black = over(cut_out[0], np.zeros_like(cut_out[0]), cut_out[1])
    for below, shown in (("white", read_picture(real)), ("black", on_black)):
        chosen = choose("twilio", [f"strength={strength}", f"blur.canvas.below={below}"])
        with Product(chosen.scheme, 720) as product:
            assert psnr(product(read_picture(photo))[0], shown) > least, below
