"""Charts of measurements, in a real window."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from napari_spinney.samples import load_sample
from napari_spinney.widgets.objects_charts import CORRELATION, HISTOGRAM, SCATTER
from napari_spinney.widgets.objects_dock import ObjectsDock

pytestmark = pytest.mark.gui

WAIT = 60_000


@pytest.fixture
def dock(make_napari_viewer, qtbot):
    sample = load_sample("shapes")
    viewer = make_napari_viewer(show=False)
    viewer.add_labels(sample.labels, name="objects")
    dock = ObjectsDock(viewer)
    qtbot.addWidget(dock)
    dock.charts_section.expand(animate=False)
    dock.show()
    dock.measure.click()
    qtbot.waitUntil(lambda: dock.work.measured is not None, timeout=WAIT)
    yield dock
    dock.close()


def classify(dock, qtbot):
    sample = load_sample("shapes")
    for label in dock.work.measured.table["label"].tolist()[:12]:
        dock.work.give(label, int(sample.truth[sample.labels == label].max()))
    qtbot.waitUntil(lambda: dock.work.answer is not None and not dock.work.is_busy(), timeout=WAIT)


def test_a_histogram_shows_all_objects(dock):
    charts = dock.charts
    assert charts.kind.currentText() == HISTOGRAM
    charts.right.setCurrentText("eccentricity")
    assert charts.canvas.ax.get_xlabel() == "eccentricity"
    assert len(charts.canvas.ax.patches) == 1


def test_classes_colour_the_charts(dock, qtbot):
    classify(dock, qtbot)
    colors = [to_hex(patch.get_facecolor()) for patch in dock.charts.canvas.ax.patches]
    assert colors == ["#0072b2", "#e69f00"]
    dock.charts.kind.setCurrentText(SCATTER)
    assert [to_hex(line.get_color()) for line in dock.charts.canvas.ax.lines] == colors
    dock.work.session.change_class(1, color="#ff0000", name="round")
    line = dock.charts.canvas.ax.lines[0]
    assert (to_hex(line.get_color()), line.get_label()) == ("#ff0000", "round")


def test_a_point_leads_to_its_object(dock, qtbot):
    charts = dock.charts
    charts.kind.setCurrentText(SCATTER)
    charts.right.setCurrentText("area")
    charts.up.setCurrentText("eccentricity")
    table = dock.work.measured.table
    x, y = charts.canvas.ax.transData.transform((table["area"][5], table["eccentricity"][5]))
    charts.canvas.callbacks.process(
        "button_press_event", type("Event", (), {"x": float(x), "y": float(y)})()
    )
    assert dock.viewer.layers["objects"].selected_label == table["label"][5]
    assert dock.table.chosen_row() == 5
    ring = charts.canvas.ax.lines[-1]
    np.testing.assert_allclose(ring.get_xydata()[0], table[["area", "eccentricity"]].iloc[5])


def test_correlations_warn_of_shared_importance(dock):
    charts = dock.charts
    charts.kind.setCurrentText(CORRELATION)
    assert len(charts.chosen.names()) == 8
    charts.chosen.tick(["area", "equivalent_diameter_area", "eccentricity"])
    assert "share their importance" in charts.note.text()
    named = [text.get_text() for text in charts.canvas.ax.get_yticklabels()]
    assert [text.split()[0] for text in named] == charts.chosen.names()
    charts.chosen.tick(["area"])
    assert "two measurements or more" in charts.note.text()


def test_charts_take_the_theme(dock):
    ax = dock.charts.canvas.ax
    palette = dock.charts.canvas.palette()
    assert to_hex(ax.get_facecolor()) == palette.window().color().name()
    assert to_hex(ax.xaxis.label.get_color()) == palette.text().color().name()


def test_nothing_is_drawn_unseen(dock):
    dock.charts_section.collapse(animate=False)
    before = dock.charts.canvas.ax
    dock.charts.right.setCurrentText("eccentricity")
    assert dock.charts.canvas.ax is before
    dock.charts_section.expand(animate=False)
    assert dock.charts.canvas.ax.get_xlabel() == "eccentricity"
