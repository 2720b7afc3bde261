"""Notices that a window is closed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget


class ClosingWatch(QObject):
    """Calls back once when its window was closed, not when closing was called off.

    A window that is really closed is hidden after the close event; one that asks "are you sure"
    and hears no is not. The object belongs to the window and goes with it.
    """

    def __init__(self, window: QWidget, when_closed: Callable[[], None]) -> None:
        super().__init__(window)
        self._when_closed: Callable[[], None] | None = when_closed
        self._closing = False
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Watch for closing, then hiding."""
        if event is None or self._when_closed is None:
            return False
        if event.type() == QEvent.Type.Close:
            self._closing = True
        elif event.type() == QEvent.Type.Hide and self._closing and not event.spontaneous():
            when_closed, self._when_closed = self._when_closed, None
            when_closed()
        return False
