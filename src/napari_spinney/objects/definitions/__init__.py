"""The table of measurements, one entry per name, in the order of columns.

Names and numbers of objects and neighbours are those of APOC (pyclesperanto-prototype); for what
APOC does not have, names and numbers are scikit-image's.
"""

from __future__ import annotations

from napari_spinney.objects.definitions.channels import INTENSITY, TEXTURE
from napari_spinney.objects.definitions.neighbours import NEIGHBOURS
from napari_spinney.objects.definitions.shapes import POSITION, SHAPE, SIZE

MEASUREMENTS = (*SIZE, *SHAPE, *INTENSITY, *TEXTURE, *POSITION, *NEIGHBOURS)

__all__ = ["MEASUREMENTS"]
