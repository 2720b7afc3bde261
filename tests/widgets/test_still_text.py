"""Text that changes without its window being laid out anew."""

import pytest
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from napari_spinney.widgets.still_text import StillText


class LayoutRequests(QObject):
    """Counts how often a widget is asked to lay out its children."""

    def __init__(self, widget):
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


@pytest.fixture
def shown(qtbot):
    outside = QWidget()
    qtbot.addWidget(outside)
    text = StillText()
    QVBoxLayout(outside).addWidget(text)
    outside.resize(300, 200)
    outside.show()
    settle()
    return outside, text


def settle():
    for _ in range(3):
        QApplication.sendPostedEvents()
        QApplication.processEvents()


def test_a_new_text_of_few_lines_lays_nothing_out(shown):
    outside, text = shown
    requests = LayoutRequests(outside)
    for words in ("Live: following the brush …", "", "Done. " * 8, "Press Train."):
        text.setText(words)
        settle()
        assert text.text() == words
    assert requests.count == 0


def test_a_long_text_gets_its_room_and_gives_it_back(shown):
    _, text = shown
    before = text.height()
    text.setText("Something went wrong. " * 30)
    settle()
    assert text.height() > 3 * before
    text.setText("Mended.")
    settle()
    assert text.height() == before


def test_a_narrower_dock_wraps_the_text_anew(shown):
    outside, text = shown
    text.setText("A sentence of some length that fits two lines of a wide dock. " * 2)
    settle()
    before = text.height()
    outside.resize(120, 400)
    settle()
    assert text.height() > before
