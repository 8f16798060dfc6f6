"""One small call with its truth, once with known leak weights and once without."""

from __future__ import annotations

import made
import pytest


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> made.Made:
    return made.write(tmp_path_factory.mktemp("truth") / "known")


@pytest.fixture(scope="session")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> made.Made:
    return made.write(tmp_path_factory.mktemp("truth") / "unknown", leak=False)
