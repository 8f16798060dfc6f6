"""Licences that restrict what may be done with a model: said when it is used for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vbtools.stages.base import Progress


def tell_licence(model: str, progress: Progress) -> None:
    """Say a model's licence, where it restricts anything and was not said before.

    Args:
        model: in the catalog.
        progress: where to say it.
    """
    from vbtools.models import first_use

    text = first_use(model)
    if text:
        progress.say(text)
