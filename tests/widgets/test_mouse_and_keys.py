"""Real mouse and key events, as Qt delivers them."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_spinney.session import Count
from napari_spinney.widgets.keys import bound_keys

pytestmark = pytest.mark.gui


def canvas(someone):
    return someone.viewer.window._qt_viewer.canvas.native


def drag(someone, start, stop):
    """Press, move and release the left button on the canvas, in shares of its size."""
    widget = canvas(someone)

    def at(share):
        return QPoint(int(share[0] * widget.width()), int(share[1] * widget.height()))

    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=at(start))
    for step in (0.25, 0.5, 0.75, 1.0):
        here = at([a + (b - a) * step for a, b in zip(start, stop, strict=True)])
        move = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(here),
            QPointF(widget.mapToGlobal(here)),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        someone.move_time()
        QApplication.sendEvent(widget, move)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=at(stop))


def press(someone, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(canvas(someone), key, modifier)


def test_a_stroke_with_the_mouse_is_painted_and_counted(person, nuclei):
    someone = person(nuclei, show=True)
    drag(someone, (0.4, 0.4), (0.6, 0.5))
    painted = np.count_nonzero(someone.strokes.data)
    assert painted > 100
    # On a slow machine the first half of a stroke may be counted by itself.
    someone.until(lambda: someone.session.count(1) == Count(painted, 1))


def test_alt_and_a_digit_choose_the_class(person, nuclei):
    someone = person(nuclei, show=True)
    press(someone, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert someone.session.selected_class == 2
    assert someone.strokes.selected_label == 2
    assert someone.strokes.mode == "paint"


def test_alt_l_turns_live_on_and_opens_no_menu(person, nuclei, qapp):
    someone = person(nuclei, show=True)
    press(someone, Qt.Key.Key_L, Qt.KeyboardModifier.AltModifier)
    assert someone.session.live
    assert qapp.activePopupWidget() is None
    press(someone, Qt.Key.Key_L, Qt.KeyboardModifier.AltModifier)
    assert not someone.session.live


def test_alt_t_trains_and_alt_u_goes_to_where_it_is_unsure(person, nuclei):
    someone = person(nuclei, show=True)
    someone.paint_sample()
    press(someone, Qt.Key.Key_T, Qt.KeyboardModifier.AltModifier)
    someone.until(lambda: someone.session.model is not None and someone.idle())
    before = someone.viewer.scene.camera.center
    press(someone, Qt.Key.Key_U, Qt.KeyboardModifier.AltModifier)
    someone.until(lambda: someone.viewer.scene.camera.center != before)
    there = someone.viewer.scene.camera.center
    press(someone, Qt.Key.Key_U, Qt.KeyboardModifier.AltModifier)
    someone.until(lambda: someone.viewer.scene.camera.center != there)


def test_holding_h_hides_the_prediction(person, nuclei):
    someone = person(nuclei, show=True)
    someone.paint_sample()
    someone.train()
    someone.predict()
    QTest.keyPress(canvas(someone), Qt.Key.Key_H)
    assert not someone.result().visible
    QTest.keyRelease(canvas(someone), Qt.Key.Key_H)
    assert someone.result().visible


def test_naparis_own_keys_keep_their_meaning(person, nuclei):
    someone = person(nuclei, show=True)
    press(someone, Qt.Key.Key_1)
    assert someone.strokes.mode == "erase"
    press(someone, Qt.Key.Key_P)
    assert someone.strokes.mode == "paint"
    press(someone, Qt.Key.Key_Equal)
    assert someone.session.selected_class == 2


def test_keys_are_those_of_the_manifest(person, nuclei):
    person(nuclei)
    assert {f"Alt+{n}" for n in range(1, 10)} | {"Alt+L", "Alt+T", "Alt+U", "H"} <= bound_keys()


def test_a_click_on_an_object_gives_its_class(make_napari_viewer, qtbot):
    from napari_spinney.samples import layers, load_sample
    from napari_spinney.widgets.objects_dock import ObjectsDock

    viewer = make_napari_viewer(show=True)
    labels = load_sample("shapes").labels
    for data, options, kind in layers(load_sample("shapes")):
        getattr(viewer, f"add_{kind}")(data, **options)
    dock = ObjectsDock(viewer)
    qtbot.addWidget(dock)
    dock.measure.click()
    qtbot.waitUntil(lambda: dock.work.measured is not None, timeout=60_000)
    middle = dock.work.measured.middle_of(0)
    world = dock.picture.layer.data_to_world(middle)
    viewer.scene.camera.center = (0, *world)
    widget = viewer.window._qt_viewer.canvas.native
    qtbot.wait(100)
    QTest.mouseClick(
        widget, Qt.MouseButton.LeftButton, pos=QPoint(widget.width() // 2, widget.height() // 2)
    )
    label = int(labels[tuple(round(p) for p in middle)])
    assert dock.work.given.by_object == {label: 1}
    dock.close()
