"""One small simulated call that the tests of this folder look at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from simulated import SMALL, Call

from vbtools import models
from vbtools.errors import VbtoolsError
from vbtools.simulate.write import Settings, simulate


@pytest.fixture(scope="session")
def selfie_models() -> None:
    """Both selfie models, pulled where they are missing; skips where they cannot be had."""
    pytest.importorskip("mediapipe", reason="needs the mediapipe extra")
    for name in ("selfie-square", "selfie-landscape"):
        try:
            models.pull(name)
        except VbtoolsError as problem:
            pytest.skip(f"needs the model {name}: {problem}")


@pytest.fixture(scope="session")
def make_call(selfie_models: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Settings], Call]:
    def make(settings: Settings) -> Call:
        folder = tmp_path_factory.mktemp("call") / "made"
        simulate(folder, settings)
        return Call(folder)

    return make


@pytest.fixture(scope="session")
def call(make_call: Callable[[Settings], Call]) -> Call:
    return make_call(SMALL)
