"""How many other rooms a call is played before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fakes import FakeReader

from vbtools.evidence import again
from vbtools.evidence.replay import ENOUGH_BELIEVED


@pytest.mark.parametrize(
    ("own", "believed", "rooms"),
    [(0.9, ENOUGH_BELIEVED // 2 - 1, [0, 1, 2, 3]), (0.9, ENOUGH_BELIEVED // 2, [0, 1]), (0.5, 0, [0, 1])],
)
def test_more_rooms_are_tried_where_something_is_believed_and_they_tell_too_little(
    own: float, believed: int, rooms: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again.Clip, "of", lambda *_: SimpleNamespace(notes=[]))
    monkeypatch.setattr(again, "made_rooms", lambda _, count, seed: [100 * seed + n for n in range(count)])
    monkeypatch.setattr(
        again, "_before", lambda _, made, __: [SimpleNamespace(room=n, facts={"believed": believed}) for n in made]
    )
    inputs = FakeReader({"aggregate": {"confidence": np.full((9, 16), own, np.float32)}})
    notes: list[str] = []
    found: list[Any] = again.played(inputs, 2, 360, 7, None, notes)  # type: ignore[arg-type]
    assert [one.room for one in found] == [700 + n for n in rooms]
    assert bool(notes) == (len(rooms) == 4)
