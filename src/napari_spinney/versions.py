"""Versions of Python and of packages, looked up once."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version

_version = cache(version)


def installed_versions(*packages: str) -> dict[str, str]:
    """Version of each installed package by its name, and Python's own."""
    return {name: _version(name) for name in packages} | {"python": platform.python_version()}
