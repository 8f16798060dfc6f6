"""Drawing: a share in colour, with its scale."""

from __future__ import annotations

import numpy as np

from vbtools.ops.draw import share_picture


def test_a_share_is_drawn_from_dark_to_light_with_its_scale_and_hatch() -> None:
    share = np.tile(np.linspace(-0.5, 1.5, 600, dtype=np.float32), (60, 1))
    share[0, 0] = np.nan
    observed = np.ones(share.shape, bool)
    observed[:, 290:310] = False
    picture = share_picture(share, observed, ("0", "certain", "never observed"))
    assert picture.shape[0] > 60
    assert picture.shape[1] == 600
    light = picture[:60].astype(int).sum(axis=2)
    assert (np.diff(light[30, :290]) >= -3).all(), "rises"
    assert light[0, 0] == light[0, 1], "NaN is 0"
    assert len({tuple(one) for one in picture[:60, 290:310].reshape(-1, 3)}) == 2, "the hatch's two lilacs"
    assert (picture[30, :140] == picture[30, 0]).all(), "below 0 is 0"
