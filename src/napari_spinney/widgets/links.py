"""Connections that end with the widget they serve."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget


class Source(Protocol):
    """A signal of psygnal or of napari."""

    def connect(self, slot: Any, /) -> Any:
        """Call a slot from now on."""

    def disconnect(self, slot: Any, /) -> Any:
        """Call it no more."""


def link(widget: QWidget, slot: Callable[..., None], *signals: Source) -> None:
    """Call a slot of a widget whenever a signal is emitted, as long as Qt's part of it exists.

    A dock can be closed while its session lives on; what Python keeps of it must not be called.
    """
    for signal in signals:
        signal.connect(slot)

    def cut() -> None:
        # When all of it is garbage at once, a signal may be emptied before its widget is told.
        with suppress(AttributeError):
            for signal in signals:
                signal.disconnect(slot)

    widget.destroyed.connect(cut)
