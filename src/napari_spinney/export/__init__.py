"""Write down what was done as a notebook or a script that does it again, to the same result."""

from napari_spinney.export.snippets import snippet
from napari_spinney.export.writing import notebook, script

__all__ = ["notebook", "script", "snippet"]
