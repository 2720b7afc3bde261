"""What is wrong with a file: all are `ValueError`, name the file and say the rule."""

from __future__ import annotations


class ModelFileError(ValueError):
    """A model file that cannot be read or written."""


class ClFileError(ModelFileError):
    """A `.cl` file that is no classifier of APOC, or a model that such a file cannot hold."""


class ImageFileError(ValueError):
    """An image file that cannot be read or written."""
