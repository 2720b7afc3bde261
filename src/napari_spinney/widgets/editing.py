"""Changes to classes that change strokes too; each can be undone on its layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_spinney.session import Session
    from napari_spinney.widgets.binding import Binding


class Editing:
    """Merges and deletes classes, strokes included, by way of the layers' own undo history."""

    def __init__(self, session: Session, binding: Binding) -> None:
        self._session = session
        self._binding = binding

    def merge(self, number: int, into: int) -> None:
        """Make all strokes of a class strokes of another one, and forget it."""
        self._relabel(number, into)
        self._session.remove_class(number)
        self._session.select_class(into)

    def delete(self, number: int) -> None:
        """Erase all strokes of a class and forget it."""
        self._relabel(number, 0)
        self._session.remove_class(number)

    def _relabel(self, number: int, new: int) -> None:
        for layer in self._binding.annotations.values():
            indices = np.nonzero(np.asarray(layer.data) == number)
            if len(indices[0]):
                layer.data_setitem(indices, new)
